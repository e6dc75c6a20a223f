import { createRequire } from 'node:module';
import { followScheme, LINE, OTHERS, OURS, TEXT } from './theme.mjs';

const echarts = createRequire(new URL('../peers/package.json', import.meta.url))('echarts');

const WIDTH = 760;
const FONT = 'Helvetica, Arial, sans-serif';

/**
 * Bars that lie, a bundle for each category.
 * @param series `{ name, values, ours }`, a value (or `null`) for each category
 */
export function bars({ title, unit, categories, series }) {
  const height = 132 + categories.length * (series.length * 17 + 16);
  return draw(height, {
    ...frame(title, unit, series),
    xAxis: { type: 'value', ...axis(), splitNumber: 6 },
    yAxis: { type: 'category', inverse: true, data: categories, ...axis(), axisTick: { show: false } },
    series: series.map((one) => ({
      type: 'bar',
      name: one.name,
      data: one.values,
      barWidth: 13,
      barGap: '25%',
      label: {
        show: true,
        position: 'right',
        color: TEXT,
        fontFamily: FONT,
        fontSize: 11,
        formatter: ({ value }) => figure(value),
      },
    })),
  });
}

/** Lines over sizes that grow tenfold. */
export function lines({ title, unit, sizes, series, limit }) {
  return draw(362, {
    ...frame(title, unit, series),
    xAxis: { type: 'category', data: sizes, ...axis() },
    yAxis: { type: 'value', min: 0, ...axis() },
    series: series.map((one) => ({
      type: 'line',
      name: one.name,
      data: one.values,
      symbolSize: 7,
      markLine: limit && {
        silent: true,
        symbol: 'none',
        lineStyle: { color: TEXT, type: 'dashed', width: 1 },
        label: { color: TEXT, fontFamily: FONT, fontSize: 11, formatter: `${limit}` },
        data: [{ yAxis: limit }],
      },
    })),
  });
}

function draw(height, option) {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  chart.setOption({ animation: false, backgroundColor: 'transparent', ...option });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return `${followScheme(svg)}\n`;
}

function frame(title, unit, series) {
  let others = 0;
  const text = { color: TEXT, fontFamily: FONT };
  return {
    title: {
      text: title,
      subtext: unit,
      left: 8,
      top: 4,
      textStyle: { ...text, fontSize: 15 },
      subtextStyle: { ...text, fontSize: 12 },
    },
    legend: {
      top: 50,
      left: 4,
      itemGap: 24,
      itemWidth: 14,
      itemHeight: 9,
      textStyle: { ...text, fontSize: 12 },
      data: series.map(({ name }) => name),
    },
    grid: { left: 12, right: 56, top: 88, bottom: 12, containLabel: true },
    color: series.map(({ ours }) => (ours ? OURS : OTHERS[others++ % OTHERS.length])),
  };
}

function axis() {
  return {
    axisLabel: { color: TEXT, fontFamily: FONT, fontSize: 12 },
    axisLine: { lineStyle: { color: LINE } },
    splitLine: { lineStyle: { color: LINE } },
  };
}

/** As many digits as tell something. */
export function figure(value) {
  if (value === null || value === undefined) return '';
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en');
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return value.toFixed(Math.abs(value) < 1 ? 2 : 1);
}
