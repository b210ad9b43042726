// The card beside a hovered tile: its picture larger, its strongest real images, its numbers.

function cardFacts(data, i) {
  return data.highlights.map((name) => statisticOf(data, name)).filter(Boolean).map((statistic) => [
    statistic.title, written(statistic.values[i], statistic.format),
  ])
}

function spoken(data, i) {
  const facts = cardFacts(data, i).map(([title, value]) => `${title} ${value}`).join(", ")
  return `${data.word} ${data.channels[i]}. ${data.labels[i] || ""} ${facts}`
}

function fillCard(card, data, i, again) {
  const wide = 238
  const panels = data.panels.length
  const side = panels > 1 ? (wide - 8) / 2 : wide
  const strip = data.panels.some((panel) => (panel.examples[i] || []).length) ? (side - 9) / 4 : 0
  const canvas = document.createElement("canvas")
  const ratio = window.devicePixelRatio || 1
  const height = side + (strip ? strip + 3 : 0)
  Object.assign(canvas, { width: wide * ratio, height: height * ratio })
  Object.assign(canvas.style, { width: `${wide}px`, height: `${height}px` })
  const context = canvas.getContext("2d")
  context.scale(ratio, ratio)
  context.imageSmoothingQuality = "high"
  data.panels.forEach((panel, p) => {
    const x = p * (side + 8)
    const examples = panel.examples[i] || []
    const main = panel.picture[i] || examples[0]
    if (main) drawTile(context, data.sheets[main[0]], main[1], x, 0, side, again)
    examples.slice(0, 4).forEach(([s, t], k) => drawTile(context, data.sheets[s], t, x + k * (strip + 3), side + 3, strip, again))
  })
  const title = document.createElement("h4")
  const label = document.createElement("small")
  title.append(`${data.word} ${data.channels[i]}`, label)
  label.textContent = data.labels[i] || ""
  const list = document.createElement("dl")
  for (const [name, value] of cardFacts(data, i)) {
    const [term, figure] = [document.createElement("dt"), document.createElement("dd")]
    term.textContent = name
    figure.textContent = value
    list.append(term, figure)
  }
  card.replaceChildren(title, canvas, list)
}

function placeCard(card, left, right, top) {
  card.hidden = false
  const { offsetWidth: width, offsetHeight: height } = card
  const x = right + 14 + width < window.innerWidth ? right + 14 : Math.max(8, left - 14 - width)
  card.style.left = `${x}px`
  card.style.top = `${Math.max(8, Math.min(top, window.innerHeight - height - 8))}px`
}
