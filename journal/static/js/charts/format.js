// Figures as the pages write them: true minus, explicit plus, grouped.
export function money(value) {
  const sign = value < 0 ? "−" : value > 0 ? "+" : "";
  return `${sign}$${Math.abs(value).toLocaleString("en-US", { maximumFractionDigits: 0 })}`;
}

export function points(value, digits = 2) {
  return Number(value).toLocaleString("en-US", { maximumFractionDigits: digits });
}
