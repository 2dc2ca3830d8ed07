// What all charts share: axes, tooltip, legend and grid in the page's colours.
const FONT = 12;

export function frame(c, { top = 40, bottom = 34, left = 8, right = 16 } = {}) {
  return {
    animation: false,
    aria: { enabled: false }, // the holder carries the written summary
    textStyle: { fontFamily: c.font, fontSize: FONT, color: c.ink },
    grid: { left, right, top, bottom, outerBoundsMode: "same", outerBoundsContain: "all" },
  };
}

export function tooltip(c, more = {}) {
  return {
    trigger: "axis",
    renderMode: "richText",
    confine: true,
    backgroundColor: c.card,
    borderColor: c.strong,
    borderWidth: 1,
    padding: [8, 10],
    textStyle: { color: c.ink, fontSize: FONT },
    axisPointer: { type: "line", lineStyle: { color: c.soft, type: "dotted" } },
    ...more,
  };
}

export function legend(c, more = {}) {
  return {
    top: 0,
    left: 0,
    itemWidth: 18,
    itemHeight: 8,
    itemGap: 14,
    textStyle: { color: c.ink, fontSize: FONT },
    inactiveColor: c.soft,
    ...more,
  };
}

export function axis(c, type, more = {}) {
  const { axisLabel, ...rest } = more;
  return {
    type,
    nameLocation: "middle",
    nameGap: 30,
    nameTextStyle: { color: c.soft, fontSize: FONT },
    axisLine: { show: type === "category", lineStyle: { color: c.strong } },
    axisTick: { show: false },
    axisLabel: { color: c.soft, fontSize: FONT, hideOverlap: true, ...axisLabel },
    splitLine: { show: false, lineStyle: { color: c.grid } },
    ...rest,
  };
}

// A grid line about every fifty pixels: a low chart gets few of them.
export function ticks(height = 340) {
  return Math.max(2, Math.min(6, Math.round((height - 60) / 50)));
}

export function valueAxis(c, more = {}) {
  return axis(c, "value", {
    splitNumber: 5,
    ...more,
    splitLine: { show: true, lineStyle: { color: c.grid } },
  });
}

// Room a legend needs above the plot, by the width of its names.
export function legendRoom(names, width) {
  let rows = 1;
  let used = 0;
  for (const name of names) {
    const wide = name.length * 6.8 + 38;
    if (used && used + wide > width) {
      rows += 1;
      used = 0;
    }
    used += wide;
  }
  return 18 + rows * 22;
}
