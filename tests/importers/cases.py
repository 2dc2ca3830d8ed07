"""Rows of brokers' files as tests make them."""

# ruff: noqa: E501 - the lines are data
from __future__ import annotations

from decimal import Decimal

HEADER = (
    "Date,Type,Sub Type,Action,Symbol,Instrument Type,Description,Value,Quantity,Average Price,Commissions,"
    "Fees,Multiplier,Root Symbol,Underlying Symbol,Expiration Date,Strike Price,Call or Put,Order #,"
    "Total,Currency"
)


def tasty(
    day: str,
    clock: str,
    action: str,
    right: str,
    strike: int,
    price: str,
    order: str,
    *,
    expiry: str = "",
    quantity: int = 1,
    root: str = "SPXW",
) -> str:
    """A trade row of tastytrade in New York summer time; opening costs 1.77 a contract, closing 0.77.

    The expiration date column is a day late, as in exports from the other side of the date line.
    """
    expiry = expiry or f"{day[2:4]}{day[5:7]}{day[8:10]}"
    sign = -1 if action.startswith("BUY") else 1
    value = sign * Decimal(price) * 100 * quantity
    commission = Decimal(-quantity) if action.endswith("OPEN") else Decimal(0)
    fees = Decimal("-0.77") * quantity
    symbol = f"{root:<6}{expiry}{right}{strike * 1000:08d}"
    late = f"{expiry[2:4]}/{int(expiry[4:]) + 1}/{expiry[:2]}"
    words = action.replace("_", " ").title()
    return (
        f"{day}T{clock}-0400,Trade,{words},{action},{symbol},Equity Option,x,{value:.2f},{quantity},"
        f"{abs(value) / quantity:.2f},{commission:.2f},{fees:.2f},100,{root},SPX,{late},{strike},"
        f"{'PUT' if right == 'P' else 'CALL'},{order},{value + commission + fees:.2f},USD"
    )


def settled(day: str, right: str, strike: int, value: str, *, quantity: int = 1) -> list[str]:
    """The two rows of a cash settlement: removal and cash, with a fee of 5.00."""
    cash = Decimal(value)
    what = "Assignment" if cash < 0 else "Exercise"
    symbol = f"SPXW  {day[2:4]}{day[5:7]}{day[8:10]}{right}{strike * 1000:08d}"
    tail = f"100,SPXW,SPX,1/1/25,{strike},{'PUT' if right == 'P' else 'CALL'},"
    start = f"{day}T17:00:00-0400,Receive Deliver"
    moved = f"{cash},{quantity},{cash},--,-5.00,{tail},{cash - 5},USD"
    return [
        f"{start},{what},,{symbol},Equity Option,Removal,0.00,{quantity},0.00,--,0.00,{tail},0.00,USD",
        f"{start},Cash Settled {what},,{symbol},Equity Option,Cash,{moved}",
    ]


def tasty_file() -> str:
    """A condor opened and closed, a put spread settled in cash, a deposit and a share."""
    at, end = ("2025-10-03", "10:05:36"), ("2025-10-03", "13:27:51")
    rows = [
        tasty(*at, "BUY_TO_OPEN", "P", 6700, "7.80", "11"), tasty(*at, "SELL_TO_OPEN", "P", 6710, "9.90", "11"),
        tasty(*at, "SELL_TO_OPEN", "C", 6740, "8.30", "11"), tasty(*at, "BUY_TO_OPEN", "C", 6750, "4.15", "11"),
        tasty(*end, "SELL_TO_CLOSE", "P", 6700, "4.10", "12"), tasty(*end, "BUY_TO_CLOSE", "P", 6710, "6.32", "12"),
        tasty(*end, "BUY_TO_CLOSE", "C", 6740, "5.78", "12"), tasty(*end, "SELL_TO_CLOSE", "C", 6750, "3.15", "12"),
        tasty("2025-10-06", "11:00:00", "SELL_TO_OPEN", "P", 6690, "6.76", "13", quantity=2),
        tasty("2025-10-06", "11:00:00", "BUY_TO_OPEN", "P", 6680, "4.03", "13", quantity=2),
        *settled("2025-10-06", "P", 6690, "-900.00", quantity=2),
        "2025-10-01T09:00:00-0400,Money Movement,Deposit,,,,Wire,\"5,000.00\",0,,--,0.00,,,,,,,,\"5,000.00\",USD",
        "2025-10-01T09:30:00-0400,Trade,Buy to Open,BUY_TO_OPEN,SOFI,Equity,x,-100.00,10,-10.00,0.00,0.00,,,,,,,9,-100.00,USD",
    ]  # fmt: skip
    return "\n".join([HEADER, *reversed(rows)]) + "\n"


SCHWAB = """"Transactions for account ...868 as of 04/25/2026"
"Date","Action","Symbol","Description","Quantity","Price","Fees & Comm","Amount"
"04/24/2026 as of 04/23/2026","Expired","SPXW 04/23/2026 7050.00 P","PUT","3","","",""
"04/24/2026 as of 04/23/2026","Expired","SPXW 04/23/2026 7040.00 P","PUT","-3","","",""
"04/23/2026","Sell to Open","SPXW 04/23/2026 7050.00 P","PUT","3","$0.80","$3.39","$236.61"
"04/23/2026","Buy to Open","SPXW 04/23/2026 7040.00 P","PUT","3","$0.50","$3.39","-$153.39"
"04/22/2026","Bank Interest","","INTEREST","","","","$1.10"
"Transactions Total","","","","","","","$84.32"
"""

FIDELITY = """

Run Date,Action,Symbol,Description,Type,Price ($),Quantity,Commission ($),Fees ($),Accrued Interest ($),\
Amount ($),Cash Balance ($),Settlement Date
05/27/2026,"YOU BOUGHT OPENING TRANSACTION PUT (SPXW) JUN 18 26 $7400"," -SPXW260618P7400","PUT",Margin,50.00,\
1,0.65,0.05,,-5000.70,,05/28/2026
05/27/2026,"YOU SOLD OPENING TRANSACTION PUT (SPXW) JUN 18 26 $7410"," -SPXW260618P7410","PUT",Margin,52.00,\
-1,0.65,0.05,,5199.30,,05/28/2026

"The data and information in this spreadsheet is provided to you solely for your use."
"""

THINKORSWIM = """Account Statement for *****000SCHW (Margin) since 1/1/26 through 9/20/26

Cash Balance
DATE,TIME,TYPE,REF #,DESCRIPTION,Misc Fees,Commissions & Fees,AMOUNT,BALANCE
4/1/26,00:00:00,BAL,,Cash balance at the start of business day,,,,"10,000.00"
4/2/26,09:40:16,TRD,="1001",SOLD -1 VERTICAL SPX 100 (Weeklys) 10 APR 26 6600/6590 PUT @2.50 CBOE,-1.14,-1.30,\
250.00,"10,247.56"
4/10/26,23:25:44,RAD,="2001",Removed due to Expiration PUT EXP 04/10/26: EXP: 1.0 .SPXW260410P6600,,,,"10,247.56"
4/10/26,23:25:55,RAD,="2002",Removed due to Expiration PUT EXP 04/10/26: EXP: -1.0 .SPXW260410P6590,,,,"10,247.56"
,,,,TOTAL,($1.14),($1.30),$250.00,"$10,247.56"

Account Trade History
,Exec Time,Spread,Side,Qty,Pos Effect,Symbol,Exp,Strike,Type,Price,Net Price,Order Type
,4/2/26 09:40:16,VERTICAL,SELL,-1,TO OPEN,SPX,10 APR 26,6600,PUT,12.00,2.50,LMT
,,,BUY,+1,TO OPEN,SPX,10 APR 26,6590,PUT,9.50,CREDIT,
"""

FLEX = """<?xml version="1.0" encoding="UTF-8"?>
<FlexQueryResponse><FlexStatements><FlexStatement accountId="U1"><Trades>
<Trade accountId="U1" assetCategory="OPT" symbol="SPXW  260102C06000000" dateTime="20260102;100000" buySell="SELL" \
quantity="-2" tradePrice="2.00" ibCommission="-2.40" brokerageOrderID="c1" openCloseIndicator="O" \
levelOfDetail="ORDER" />
<Trade accountId="U1" assetCategory="OPT" symbol="SPXW  260102C06000000" dateTime="20260102;100000" buySell="SELL" \
quantity="-1" tradePrice="2.00" ibCommission="-1.20" brokerageOrderID="c1" tradeID="t1" openCloseIndicator="O" \
levelOfDetail="EXECUTION" somethingNew="x" />
<Trade accountId="U1" assetCategory="OPT" symbol="SPXW  260102C06000000" dateTime="20260102;100001" buySell="SELL" \
quantity="-1" tradePrice="2.00" ibCommission="-1.20" brokerageOrderID="c1" tradeID="t2" openCloseIndicator="O" \
levelOfDetail="EXECUTION" notes="P" />
<Trade accountId="U1" assetCategory="OPT" symbol="SPXW  260102C06000000" dateTime="20260102;162000" buySell="BUY" \
quantity="2" tradePrice="0" ibCommission="0" transactionType="BookTrade" openCloseIndicator="C" notes="Ep" \
tradeID="t3" levelOfDetail="EXECUTION" fifoPnlRealized="395.20" cost="395.20" />
</Trades></FlexStatement></FlexStatements></FlexQueryResponse>
"""

#: VX futures: a fill moves its costs, daily marks move the rest. 20.10 → 22.60 is 2,500.00 in all.
THINKORSWIM_FUTURES = """Account Statement for *****000SCHW (Margin) since 11/1/25 through 12/1/25

Cash & Sweep Vehicle
DATE,TIME,TYPE,REF #,DESCRIPTION,Misc Fees,Commissions & Fees,AMOUNT,BALANCE
11/3/25,01:00:00,BAL,,Cash balance at the start of business day 03.11 CST,,,,"5,000.00"
11/3/25,10:00:00,WIN,="81",WIRED FUNDS RECEIVED 2000.0 US$,,,"2,000.00","7,000.00"
11/4/25,09:00:00,FSWP,--,FUTURES CASH SWEEP,,,-500.00,"6,500.00"
11/5/25,09:00:00,DOI,="82",ORDINARY DIVIDEND~SGOV,,,3.21,"6,503.21"
11/5/25,09:00:00,DOI,="83",MARGIN INTEREST ADJUSTMENT,,,-1.21,"6,502.00"
11/5/25,09:30:00,TRD,="84",BOT +100 SGOV @100.40 NYSE,,,"-10,040.00","-3,538.00"
,,,,TOTAL,$0.00,$0.00,"($8,538.00)","($3,538.00)"

Futures Statements
Trade Date,Exec Date,Exec Time,Type,Ref #,Description,Misc Fees,Commissions & Fees,Amount,Balance
11/4/25,11/4/25,01:00:00,BAL,--,Futures cash balance at the start of business day 04.11 CST,--,--,--,0.00
11/4/25,11/4/25,09:00:00,FSWP,--,FUTURES CASH SWEEP,--,--,500.00,500.00
11/5/25,11/5/25,10:00:00,TRD,="91",BOT +1 /VXZ25:XCBF @20.10,-1.74,-2.25,--,496.01
11/5/25,11/5/25,17:00:00,ADJ,--,/VXZ25:XCBF mark to market at 21.00 official settlement price,--,--,900.00,"1,396.01"
11/6/25,11/6/25,11:00:00,TRD,="92",SOLD -1 /VXZ25:XCBF @22.60,-1.74,-2.25,"1,600.00","2,992.02"
11/6/25,11/6/25,12:00:00,TRD,="93",BOT +1 /ESZ25:XCME @6800.00,-1.40,-2.25,--,"2,988.37"

Total Cash ($549.63)
"""

#: VX futures at tastytrade: the value is zero, the price stands in the words.
TASTY_FUTURES = "\n".join(
    [
        HEADER,
        "2025-11-07T15:00:00-0500,Money Movement,Mark to Market,,/VXZ5,Future,Mark to market,-150.00,0,,--,0.00,,,,,,,,-150.00,USD",
        "2025-11-06T11:00:00-0500,Trade,Sell to Close,SELL,/VXZ5,Future,Sold 1 /VXZ5 @ 22.60,0.00,1,0.00,-1.25,-2.20,,,,,,,72,-3.45,USD",
        "2025-11-05T10:00:00-0500,Trade,Buy to Open,BUY,/VXZ5,Future,Bought 2 /VXZ5 @ 20.10,0.00,2,0.00,-2.50,-4.40,,,,,,,71,-6.90,USD",
        "2025-11-05T09:59:00-0500,Trade,Buy,BUY,/VXMZ5,Future,Bought 1 /VXMZ5 @ 20.10,0.00,1,0.00,-1.25,-0.60,,,,,,,70,-1.85,USD",
        "2025-11-04T17:00:00-0500,Money Movement,Dividend,,VXX,Equity,A FUND,-0.05,0,,--,0.00,,,,,,,,-0.05,USD",
        "2025-11-04T17:00:00-0500,Money Movement,Withdrawal,,,,ACH DISBURSEMENT,-50.00,0,,--,0.00,,,,,,,,-50.00,USD",
        "",
    ]
)

FLEX_CASH = """<FlexQueryResponse><FlexStatements><FlexStatement accountId="U1"><Trades>
<Trade assetCategory="FUT" symbol="VXZ5" underlyingSymbol="VIX" multiplier="1000" expiry="20251217" currency="USD" \
dateTime="20251105;100000" buySell="BUY" quantity="2" tradePrice="20.10" ibCommission="-4.76" brokerageOrderID="v1" \
tradeID="f1" openCloseIndicator="O" netCash="0" />
<Trade assetCategory="FUT" symbol="VXZ5" underlyingSymbol="VIX" multiplier="1000" expiry="20251217" currency="USD" \
dateTime="20251217;093000" buySell="SELL" quantity="-2" tradePrice="16.65" ibCommission="0" tradeID="f2" \
transactionType="BookTrade" openCloseIndicator="C" notes="Ep" netCash="0" />
<Trade assetCategory="STK" symbol="SGOV" currency="USD" dateTime="20251105;100500" buySell="BUY" quantity="10" \
tradePrice="100.4" ibCommission="-1.00" netCash="-1005.00" tradeID="f3" openCloseIndicator="O" />
</Trades><CashTransactions>
<CashTransaction currency="USD" assetCategory="" symbol="" description="CASH RECEIPTS / ELECTRONIC FUND TRANSFERS" \
dateTime="20251103" amount="10000" type="Deposits/Withdrawals" transactionID="101" levelOfDetail="DETAIL" />
<CashTransaction currency="USD" description="USD CREDIT INT FOR OCT-2025" dateTime="20251105" amount="12.345" \
type="Broker Interest Received" transactionID="102" levelOfDetail="DETAIL" />
<CashTransaction currency="USD" description="USD CREDIT INT FOR OCT-2025" dateTime="20251105" amount="12.345" \
type="Broker Interest Received" levelOfDetail="SUMMARY" />
<CashTransaction currency="USD" assetCategory="STK" symbol="SGOV" description="SGOV CASH DIVIDEND" \
dateTime="20251106;202000" amount="3.40" type="Dividends" transactionID="103" levelOfDetail="DETAIL" />
<CashTransaction currency="USD" assetCategory="STK" symbol="SGOV" description="SGOV - US TAX" \
dateTime="20251106;202000" amount="-0.51" type="Withholding Tax" transactionID="104" levelOfDetail="DETAIL" />
</CashTransactions><CashReport><CashReportCurrency currency="BASE_SUMMARY" startingCash="1" endingCash="2" />
<CashReportCurrency currency="USD" startingCash="5000" endingCash="7105.48" cashSettlingMtm="-6900" />
</CashReport></FlexStatement></FlexStatements></FlexQueryResponse>
"""

FILES = {
    "tastytrade.csv": tasty_file(), "schwab.csv": SCHWAB, "fidelity.csv": FIDELITY,
    "thinkorswim.csv": THINKORSWIM, "flex.xml": FLEX, "thinkorswim futures.csv": THINKORSWIM_FUTURES,
    "tastytrade futures.csv": TASTY_FUTURES, "flex cash.xml": FLEX_CASH,
}  # fmt: skip


#: A put spread sold in one order, and a row like its first whose quantity cannot be read.
OPEN = [
    tasty("2025-10-03", "10:05:36", "SELL_TO_OPEN", "P", 6600, "3.00", "11"),
    tasty("2025-10-03", "10:05:36", "BUY_TO_OPEN", "P", 6590, "2.00", "11"),
]
BROKEN = OPEN[0].replace(",300.00,1,", ",300.00,one,").replace(",11,", ",12,")
