"""What policy says: questions with answers, the layer ladder, orders, and advice with its content hash.

All values are frozen and go through ``hedging.engine.codec``; None is unknown, never zero. Dollars are signed
as everywhere: cash received is positive, a cost and a loss are positive figures named so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from hedging.engine import codec
from hedging.engine.canonical import plain_hash
from hedging.engine.pricing.greeks_units import FactorGreeks
from hedging.engine.results.capital import Funds

DISCLAIMER = "Educational: figures and rules of a method, not investment advice."


class Answer(StrEnum):
    """Unknown is its own answer; it never counts as a yes."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Action(StrEnum):
    """What a proposal does to the book."""

    HOLD = "HOLD"
    OPEN_CONDOR = "OPEN_CONDOR"
    WING_SHIFT = "WING_SHIFT"
    RECENTER = "RECENTER"
    FULL_ROLL = "FULL_ROLL"
    TIME_SHIFT = "TIME_SHIFT"
    ADD_LAYER = "ADD_LAYER"
    TRIM_LAYER = "TRIM_LAYER"
    EXTEND_LAYER = "EXTEND_LAYER"


class Procedure(StrEnum):
    """The question lists policy works through."""

    DATA = "data quality"
    LAYERS = "layer gates"
    COLLAPSE = "realized-vol collapse"
    EXPANSION = "volatility expansion"
    CAPITAL = "cost of capital"
    CONDOR = "condor"


@dataclass(frozen=True, slots=True)
class Fact:
    """An input of an answer: a figure in ``unit`` or a word, where it came from and its day."""

    name: str
    value: float | None = None
    unit: str = ""
    word: str = ""
    source: str = ""
    as_of: date | None = None


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One question: its inputs, the rule in words and figures, the answer and what follows from it."""

    key: str
    question: str
    rule: str
    answer: Answer
    consequence: str
    inputs: tuple[Fact, ...] = ()
    requirement: str = ""
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    """A procedure's questions in order and the state it ends in."""

    procedure: Procedure
    state: str
    steps: tuple[TraceStep, ...]

    def step(self, key: str) -> TraceStep:
        """The step with this key. Raises KeyError."""
        for step in self.steps:
            if step.key == key:
                return step
        raise KeyError(key)


class Guard(StrEnum):
    """What refuses an order: the guardrails of every order, then the checks of policy's own proposals.

    The values are kept in stored advice and audit events; pages print them.
    """

    NET_SHORT_VIX = "net short VIX calls"
    UNDEFINED_RISK = "undefined risk"
    WINGS = "condor without wings"
    SIZE = "size"
    PREMIUM_CAP = "premium cap"
    ROLL_SIZE = "size on a roll"
    FUNDING = "funding"
    PORTFOLIO_VOLATILITY = "portfolio volatility"
    EQUITY_RETURN = "capital.equity"
    PAID_BY_CONDORS = "capital.paid"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A guardrail an order breaks. ``blocks`` False is a warning; ``value`` and ``limit`` in ``unit``."""

    rule: Guard
    reason: str
    requirement: str
    blocks: bool = True
    value: float | None = None
    limit: float | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class SizeLimits:
    """Maximum loss of one trade, as shares of equity: above ``warn`` it is told, above ``block`` refused.

    ``own_warn`` and ``own_block`` say that the account states a tighter limit than its rules do.
    """

    warn: float
    block: float
    own_warn: bool = False
    own_block: bool = False


@dataclass(frozen=True, slots=True)
class OrderLeg:
    """One contract of an order: ``quantity`` signed (+ buy), points per unit.

    ``price`` is the mark the limit was built from; ``modelled`` when it is the surface's and not a quote.
    """

    symbol: str
    quantity: int
    price: float
    delta: float | None = None
    bid: float | None = None
    ask: float | None = None
    modelled: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """One ticket. ``limit`` in points a package, + received and - paid, on the tick.

    ``text`` is the thinkorswim order string (empty where the format has no words for it); ``trade_id`` the
    trade it changes, None for a new one; ``cash`` dollars moved at the limit.
    """

    legs: tuple[OrderLeg, ...]
    packages: int
    limit: float
    cash: float
    text: str
    trade_id: str | None = None
    modelled: bool = False


@dataclass(frozen=True, slots=True)
class VixValue:
    """P&L in dollars against now when the VIX stands at ``level`` and SPX moves as the stress path says."""

    level: float
    spot_change: float
    pnl: float


@dataclass(frozen=True, slots=True)
class BookRisk:
    """A book's risk in dollars. ``greeks`` by factor; ``financing_rate`` is a fraction a year.

    ``scenario_loss`` is the worst stressed loss (positive), ``fall_loss`` the worst while the VIX rises,
    ``coverage`` hedge gain over condor loss in the condors' worst cell of the latter kind. ``hedge_value`` is
    what the open hedges are worth. ``unknown_legs`` are left out of every figure.
    """

    scenario_loss: float
    max_loss: float | None
    margin: float | None
    theta: float
    greeks: dict[str, FactorGreeks] = field(default_factory=dict)
    coverage: float | None = None
    financing_rate: float | None = None
    unknown_legs: int = 0
    fall_loss: float | None = None
    hedge_value: float = 0.0


@dataclass(frozen=True, slots=True)
class PayoffPair:
    """P&L in dollars at expiry over ``prices`` of the underlying, before and after."""

    underlying: str
    prices: tuple[float, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Effects:
    """The book before and after a proposal.

    ``marginal_rate`` is the cost of capital of the change alone, a fraction a year of the margin and hedge
    value it adds or frees; None where it changes neither.
    """

    before: BookRisk
    after: BookRisk
    payoff: PayoffPair | None = None
    marginal_rate: float | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """An action with its orders. ``binding`` names the constraint that set its size.

    ``cost`` dollars paid (+) or received (-) at the limits, None when nothing is traded. ``funding`` names
    the pocket that pays. ``risk_reducing`` compares stressed losses. ``alternative``: instead of the proposal
    before it on the same trade, not besides.
    """

    action: Action
    title: str
    rationale: str
    binding: str = ""
    layer: int | None = None
    trade_id: str | None = None
    orders: tuple[Order, ...] = ()
    funding: str = ""
    cost: float | None = None
    risk_reducing: bool | None = None
    effects: Effects | None = None
    requirement: str = ""
    warnings: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    alternative: bool = False


@dataclass(frozen=True, slots=True)
class Bound:
    """One limit on a layer's size: contracts it allows and how (None: it does not limit here)."""

    name: str
    contracts: int | None
    explanation: str
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LadderRow:
    """A layer: what the rules want against what is held.

    ``is_open`` says whether its gates allow buying; ``target`` contracts (packages for spreads) wanted,
    ``actual`` held. ``budget`` and ``premium`` (cost of the open lots) in dollars, ``strike`` in points,
    ``tenor_days`` calendar days. ``coverage`` is a fraction of the condors' loss in their worst cell
    with rising VIX; ``decay`` dollars a calendar day (negative: it costs), ``extrinsic`` dollars. ``spread``
    is (ask - bid) ÷ mid, ``open_interest`` that of the VX future of the same expiry. ``marginal_rate`` is
    decay a year over the capital the layer ties up (WAC-3), a fraction.
    """

    layer: int
    purpose: str
    is_open: Answer
    why: str
    instrument: str
    target: int
    actual: int
    bounds: tuple[Bound, ...]
    binding: str
    symbols: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    tenor_days: float | None = None
    strike: float | None = None
    delta: float | None = None
    price: float | None = None
    modelled: bool = False
    budget: float | None = None
    premium: float = 0.0
    vix_values: tuple[VixValue, ...] = ()
    coverage: float | None = None
    extrinsic: float | None = None
    decay: float | None = None
    delta_vx: float | None = None
    gamma_vx: float | None = None
    vega_vx: float | None = None
    delta_spx_equivalent: float | None = None
    gamma_spx_equivalent: float | None = None
    roll_due: date | None = None
    spread: float | None = None
    open_interest: int | None = None
    notes: tuple[str, ...] = ()
    marginal_rate: float | None = None


@dataclass(frozen=True, slots=True)
class Ladder:
    """All layers. ``net_delta`` is the SPX-equivalent delta of condors plus layer 1, in $ per SPX point.

    ``vx_beta`` in VX points per 1% of SPX; ``beta_source`` says whether it is estimated, and over what.
    """

    rows: tuple[LadderRow, ...]
    condor_loss: float | None
    coverage: float | None
    ceiling: float
    net_delta: float | None = None
    delta_band: tuple[float, float] | None = None
    vx_beta: float | None = None
    beta_source: str = ""


@dataclass(frozen=True, slots=True)
class CondorCandidate:
    """A condor the rules would open: figures for one contract in dollars, probabilities as fractions."""

    order: Order
    expiry: date
    days: float
    strikes: tuple[float, float, float, float]
    deltas: tuple[float, float]
    put_width: float
    call_width: float
    credit: float
    max_loss: float
    margin: float
    return_on_risk: float
    pop: float | None
    break_evens: tuple[float, ...]
    contracts: int
    bounds: tuple[Bound, ...]
    binding: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyAlert:
    """Something of an open trade that asks for attention."""

    trade_id: str
    key: str
    message: str
    value: float | None = None
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class WaccTarget:
    """The financing target as fractions a year, and the book's own rate against it.

    ``book_rate`` is per dollar of margin, ``blended_rate`` the same cost per dollar of the whole account.
    """

    base: float
    cut: float
    target: float
    lowered: bool
    book_rate: float | None
    equity_return: float | None
    blended_rate: float | None = None


@dataclass(frozen=True, slots=True)
class AdviceInputs:
    """What the advice was computed from; the last five as in ``AccountFacts``."""

    account_id: str
    book_revision: int
    book_hash: str
    market_hash: str
    signals_hash: str
    ruleset: str
    ruleset_hash: str
    as_of: datetime
    signal_day: date
    second_engine: float | None = None
    margin_limit: float | None = None
    vx_beta: float | None = None
    funds: Funds | None = None
    trade_size: SizeLimits | None = None


@dataclass(frozen=True, slots=True)
class Advice:
    """Everything policy says of one book at one moment.

    ``proposals`` break no guardrail; what did is in ``refused`` with its reasons. ``binding`` names the
    constraint that decided the first proposal. ``hash`` covers inputs and outputs.
    """

    inputs: AdviceInputs
    regime: str
    traces: tuple[Trace, ...]
    ladder: Ladder
    proposals: tuple[Proposal, ...]
    refused: tuple[Proposal, ...]
    candidates: tuple[CondorCandidate, ...]
    alerts: tuple[PolicyAlert, ...]
    wacc: WaccTarget
    binding: str
    flags: tuple[str, ...] = ()
    disclaimer: str = DISCLAIMER
    hash: str = ""

    def trace(self, procedure: Procedure) -> Trace:
        """The trace of one procedure. Raises KeyError."""
        for trace in self.traces:
            if trace.procedure is procedure:
                return trace
        raise KeyError(procedure)

    def to_json(self) -> dict[str, object]:
        """Plain JSON values."""
        found: dict[str, object] = codec.to_json(self)
        return found

    @classmethod
    def from_json(cls, data: dict[str, object]) -> Advice:
        """What ``to_json`` wrote."""
        return codec.from_json(cls, data)


def advice_hash(advice: Advice) -> str:
    """SHA-256 over inputs and outputs, whatever ``hash`` holds."""
    data = advice.to_json()
    del data["hash"]
    return plain_hash(data)
