// Which channels are shown, and in what order. Pure functions of the data and the view.

function statisticOf(data, name) {
  return data.statistics.find((statistic) => statistic.name === name)
}

function searches(data, text) {
  const wanted = text.trim().toLowerCase()
  if (!wanted) return () => true
  const there = addressed(text)
  if (there && there.layer === data.title) return (i) => data.channels[i] === there.channel
  const range = wanted.match(/^:?(\d+)\s*[-–]\s*(\d+)$/)
  if (range) return (i) => data.channels[i] >= Number(range[1]) && data.channels[i] <= Number(range[2])
  const list = wanted.match(/^:?\d+(\s*[, ]\s*\d+)*$/)
  if (list) {
    const numbers = new Set(wanted.replace(":", "").split(/[, ]+/).map(Number))
    return (i) => numbers.has(data.channels[i])
  }
  const words = wanted.split(/\s+/)
  return (i) => {
    const text = `${data.labels[i] || ""} ${data.words[i] || ""}`.toLowerCase()
    return words.every((word) => text.includes(word))
  }
}

// `layer:channel`, with or without the model in front: the address of a channel, of this layer or another.
function addressed(text) {
  const found = text.trim().match(/^(?:[^/\s]+\/)?([^\s].*):(\d+)$/)
  return found && { layer: found[1], channel: Number(found[2]) }
}

// Indices into data.channels, in the order to show them. Channels of which nothing was asked for come last, before
// them those without the sorting statistic.
function arrange(data, view) {
  const found = searches(data, view.find)
  const statistic = statisticOf(data, view.sort)
  const value = (i) => (statistic ? statistic.values[i] : data.channels[i])
  const inside = (i) => {
    if (view.low === null && view.high === null) return true
    const v = value(i)
    return v !== null && (view.low === null || v >= view.low) && (view.high === null || v <= view.high)
  }
  const shown = data.channels.map((_, i) => i).filter((i) => found(i) && inside(i))
  const sign = view.up || !statistic ? 1 : -1
  const asked = (i) => data.panels.some((panel) => panel.picture[i] || panel.missing[i] !== "not asked for")
  const later = new Map(shown.map((i) => [i, asked(i) ? 0 : 1]))
  return shown.sort((a, b) => {
    if (later.get(a) !== later.get(b)) return later.get(a) - later.get(b)
    const [x, y] = [value(a), value(b)]
    if (x === null || y === null) return (x === null) - (y === null) || a - b
    return sign * (x - y) || a - b
  })
}

function histogram(values, bins) {
  const finite = values.filter((v) => v !== null)
  if (!finite.length) return null
  const low = finite.reduce((a, b) => Math.min(a, b))
  const high = finite.reduce((a, b) => Math.max(a, b))
  const counts = new Array(bins).fill(0)
  const width = high - low || 1
  for (const v of finite) counts[Math.min(bins - 1, Math.floor(((v - low) / width) * bins))] += 1
  return { low, high, width, counts, most: Math.max(...counts) }
}

function written(value, format) {
  if (value === null || value === undefined) return "–"
  if (format === "percent") return `${(100 * value).toFixed(Math.abs(value) < 0.1 ? 1 : 0)} %`
  if (format === "count") return String(Math.round(value))
  const size = Math.abs(value)
  if (size !== 0 && (size < 0.001 || size >= 100000)) return value.toExponential(1)
  return value.toFixed(size < 1 ? 3 : size < 100 ? 2 : 0)
}
