// The picked channels side by side: each picture at full size, its strongest patches, where it stands in its layer.

const LARGE = 208
const MOST_BESIDE = 24

function fillBeside(box, data, view, change, open) {
  const picked = view.selected.map((channel) => data.channels.indexOf(channel)).filter((i) => i >= 0)
  box.replaceChildren(...picked.slice(0, MOST_BESIDE).map((i) => columnOf(data, view, i, change, open)))
  if (picked.length > MOST_BESIDE) box.append(make("small", "", `… and ${picked.length - MOST_BESIDE} more`))
}

function columnOf(data, view, i, change, open) {
  const channel = data.channels[i]
  const column = make("article")
  const title = make("h4")
  const [link, away] = [make("a", "", `${data.word} ${channel}`), make("button", "", "×")]
  link.href = "#"
  link.onclick = (event) => { event.preventDefault(); open(i) }
  away.setAttribute("aria-label", `Take ${data.word.toLowerCase()} ${channel} out`)
  away.onclick = () => change({ selected: view.selected.filter((other) => other !== channel) })
  title.append(link, away)
  column.append(title, make("small", "", data.labels[i]), ...data.panels.map((panel) => largeOf(data, panel, i)))
  for (const panel of data.panels) if (panel.examples[i]?.length) column.append(patchesOf(data, panel.examples[i]))
  const list = make("dl")
  for (const statistic of data.statistics) list.append(...standingOf(statistic, i))
  column.append(list)
  return column
}

// Beside the sheet that holds a channel's tile lies its picture at full size, under its number.
function largeOf(data, panel, i) {
  const [s, t] = panel.picture[i] || panel.examples[i]?.[0] || []
  if (s === undefined) return make("div", "large")
  const url = data.sheets[s].url
  if (panel.picture[i] && url.endsWith("/sheet.webp")) {
    const file = `${String(data.channels[i]).padStart(5, "0")}.webp`
    return Object.assign(make("img", "large"), { src: url.replace(/sheet\.webp$/, file), alt: `${panel.title}:${data.channels[i]}` })
  }
  const canvas = Object.assign(make("canvas", "large"), { width: 2 * LARGE, height: 2 * LARGE })
  const draw = () => drawTile(canvas.getContext("2d"), data.sheets[s], t, 0, 0, 2 * LARGE, draw)
  draw()
  return canvas
}

function patchesOf(data, tiles) {
  const side = LARGE / 4
  const rows = Math.ceil(tiles.length / 4)
  const canvas = Object.assign(make("canvas", "patches"), { width: 2 * LARGE, height: 2 * side * rows })
  const draw = () => {
    const context = canvas.getContext("2d")
    context.imageSmoothingQuality = "high"
    tiles.forEach(([s, t], k) => drawTile(context, data.sheets[s], t, 2 * side * (k % 4), 2 * side * Math.floor(k / 4), 2 * side - 4, draw))
  }
  draw()
  return canvas
}

// One figure of a channel, and where it lies between the least and the greatest of its layer.
function standingOf(statistic, i) {
  const value = statistic.values[i]
  const name = make("dt", "", statistic.title)
  name.title = statistic.about
  const parts = [name, make("dd", "", written(value, statistic.format))]
  const finite = statistic.values.filter((v) => v !== null)
  const [low, high] = [finite.reduce((a, b) => Math.min(a, b), Infinity), finite.reduce((a, b) => Math.max(a, b), -Infinity)]
  const rail = make("div", "rail")
  if (value !== null && high > low) {
    const dot = make("i")
    dot.style.left = `${(100 * (value - low)) / (high - low)}%`
    rail.append(dot)
  }
  return [...parts, rail]
}
