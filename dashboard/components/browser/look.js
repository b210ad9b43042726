// One image as a model sees it. The image stays in sight; a layer of the strip shows the channels that answer most, and
// pointing at one lays where it answers over the image. What is chosen is told to the page, which keeps it in the address.

const LOOKS = new WeakMap()

export default function (component) {
  const { parentElement, data, setStateValue, setTriggerValue } = component
  const root = parentElement.querySelector(".look")
  let state = LOOKS.get(parentElement)
  if (!state) {
    const strongest = data.layers.findLast((layer) => layer.channels.length)
    state = { layer: data.layer || strongest?.name || data.layers[0]?.name, channel: data.channel, shown: null, drawn: "" }
    LOOKS.set(parentElement, state)
    listen(root, state)
  }
  Object.assign(state, {
    data,
    open: (href) => setTriggerValue("opened", href),
    want: (layer) => setTriggerValue("wanted", layer),
    tell: () => setStateValue("place", { layer: state.layer, channel: state.channel }),
  })
  const whole = root.querySelector(".whole")
  whole.alt = data.about
  whole.onload = () => {
    fillStrip(root, state)
    showStage(root, state)
    fillChannels(root, state)
  }
  if (whole.getAttribute("src") !== data.image) whole.src = data.image
  fillAnswers(root.querySelector(".answers"), state)
  fillStrip(root, state)
  fillLayer(root, state)
  showStage(root, state)
}

// A link within a card that is itself pressed.
function linkTo(href, className, text, state) {
  const link = make(href ? "a" : "span", className, text)
  if (!href) return link
  lead(link, href, () => state.open(href))
  link.addEventListener("click", (event) => event.stopPropagation())
  return link
}

function listen(root, state) {
  document.addEventListener("keydown", function anywhere(event) {
    if (!root.isConnected) return document.removeEventListener("keydown", anywhere)
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
    if (event.composedPath()[0].closest?.("input, textarea, select, [contenteditable]")) return
    if (event.key === "[" || event.key === "]") step(root, state, event.key === "[" ? -1 : 1)
    if (event.key === "Escape" && state.channel !== null) choose(root, state, state.layer, null)
  })
  root.querySelector(".strip").addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return
    event.preventDefault()
    step(root, state, event.key === "ArrowLeft" ? -1 : 1)
    root.querySelector('.strip [aria-selected="true"]').focus()
  })
}

function step(root, state, by) {
  const names = state.data.layers.map((layer) => layer.name)
  const next = names[names.indexOf(state.layer) + by]
  if (next) choose(root, state, next, null)
}

function choose(root, state, layer, channel) {
  Object.assign(state, { layer, channel, shown: null })
  fillStrip(root, state)
  fillLayer(root, state)
  showStage(root, state)
  state.tell()
}

function layerOf(state) {
  return state.data.layers.find((layer) => layer.name === state.layer)
}

// The large image: under the heat map of the channel pointed at, or chosen; or what the layer kept instead of it.
function showStage(root, state) {
  const { data, shown } = state
  const layer = layerOf(state)
  const canvas = root.querySelector(".over")
  const [ratio, box] = [window.devicePixelRatio || 1, root.querySelector(".whole")]
  const [width, height] = [Math.round(box.clientWidth * ratio), Math.round(box.clientHeight * ratio)]
  if (!width || !height) return
  Object.assign(canvas, { width, height })
  const context = canvas.getContext("2d")
  const number = shown?.channel ?? state.channel
  const channel = shown === "kept" ? null : layer?.channels.find((each) => each.channel === number)
  const told = root.querySelector(".told")
  root.querySelector(".scale").classList.toggle("on", Boolean(channel))
  if (shown === "kept") {
    const image = sheet(layer.kept, () => showStage(root, state))
    if (image.ready) context.drawImage(image.image, 0, 0, width, height)
    told.textContent = `What ${layer.name} kept`
  } else if (channel) {
    const [s, t] = channel.heat
    dim(context, [0, 0, width, height])
    drawHeat(context, data.sheets[s], t, [0, 0, width, height], 1, () => showStage(root, state))
    told.textContent = `Where channel ${channel.channel} answers, ${channel.value}`
  } else told.textContent = data.about
  told.title = told.textContent
}

function fillAnswers(answers, { data, ...state }) {
  answers.replaceChildren(
    ...data.heads.flatMap((head) => {
      const title = data.heads.length > 1 ? `What it answers, ${head.name}` : "What it answers"
      const rows = head.answers.map((answer) => {
        const line = linkTo(answer.href, `answer${answer.right ? " right" : ""}`, undefined, state)
        const [rail, fill] = [make("div", "rail"), make("i")]
        fill.style.width = `${100 * answer.share}%`
        rail.append(fill)
        line.append(make("span", "", answer.label), rail, make("b", "", answer.value))
        line.title = answer.right ? `${answer.label}: the image's label` : answer.label
        return line
      })
      return [make("h3", "", title), ...rows]
    }),
  )
}

function fillStrip(root, state) {
  const strip = root.querySelector(".strip")
  const { layers } = state.data
  layers.forEach((layer, k) => {
    let button = strip.children[k]
    if (!button) {
      button = Object.assign(make("button"), { type: "button", onclick: () => choose(root, state, layer.name, null) })
      button.setAttribute("role", "option")
      button.append(make("div", "blank"), make("span", "", layer.name))
      button.title = layer.name
      strip.append(button)
    }
    const image = button.firstChild
    if (layer.kept && image.tagName !== "IMG") {
      image.replaceWith(Object.assign(make("img"), { src: layer.kept, alt: "", loading: "lazy" }))
    } else if (!layer.kept) image.classList.toggle("coming", layer.coming)
    button.classList.toggle("slim", !layer.kept && !layer.coming)
    const selected = layer.name === state.layer
    button.setAttribute("aria-selected", String(selected))
    button.tabIndex = selected ? 0 : -1
  })
  const selected = strip.querySelector('[aria-selected="true"]')
  // again when there is more to scroll past: the page was not laid out yet, or more layers have a picture coming
  const there = `${state.layer} ${strip.clientWidth} ${strip.scrollWidth}`
  if (selected && state.visible !== there) {
    state.visible = there
    strip.scrollTo({ left: selected.offsetLeft - strip.offsetLeft - (strip.clientWidth - selected.offsetWidth) / 2 })
  }
}

function fillLayer(root, state) {
  const layer = layerOf(state)
  if (!layer) return
  const drawn = JSON.stringify(layer)
  if (state.drawn === drawn) return markChosen(root, state)
  state.drawn = drawn
  const title = make("h2")
  title.append(linkTo(layer.href, "", layer.name, state))
  const parts = make("div", "parts")
  const most = make("div", "most")
  most.append(make("h3", "", "Who answers"), make("p", "", layer.how), make("div", "channels"))
  parts.append(keptOf(root, layer, state), most)
  root.querySelector(".layer").replaceChildren(title, make("p", "about", layer.about), parts)
  fillChannels(root, state)
}

function keptOf(root, layer, state) {
  const figure = make("figure", "kept")
  figure.append(make("h3", "", "What it kept"))
  if (layer.kept) {
    const image = Object.assign(make("img"), { src: layer.kept, alt: `What ${layer.name} kept of the image`, tabIndex: 0 })
    const show = (shown) => () => {
      state.shown = shown
      showStage(root, state)
    }
    Object.assign(image, { onpointerenter: show("kept"), onfocus: show("kept"), onpointerleave: show(null), onblur: show(null) })
    figure.append(image, make("figcaption", "", layer.said))
  } else if (layer.coming) figure.append(make("div", "blank coming", "Being drawn …"))
  else {
    const button = Object.assign(make("button", "", "Draw it"), { type: "button", onclick: () => state.want(layer.name) })
    const blank = make("div", "blank")
    blank.append(button)
    figure.append(blank)
  }
  return figure
}

function fillChannels(root, state) {
  const layer = layerOf(state)
  const channels = root.querySelector(".channels")
  if (!layer || !channels) return
  channels.replaceChildren(...layer.channels.map((channel) => channelOf(root, channel, state)))
  markChosen(root, state)
}

function markChosen(root, state) {
  for (const card of root.querySelectorAll(".channel"))
    card.setAttribute("aria-pressed", String(Number(card.dataset.channel) === state.channel))
}

function channelOf(root, channel, state) {
  const card = make("div", "channel")
  card.tabIndex = 0
  card.setAttribute("role", "button")
  card.setAttribute("aria-label", `Channel ${channel.channel}, ${channel.value}: show where it answers`)
  card.dataset.channel = channel.channel
  const pictures = layerOf(state).channels.some((each) => each.tile)
  const pair = make("div", pictures ? "pair" : "pair one")
  const tile = (context, side, again) => {
    if (channel.tile) drawTile(context, state.data.sheets[channel.tile[0]], channel.tile[1], 0, 0, side, again)
  }
  if (pictures) pair.append(square(tile))
  pair.append(
    square((context, side, again) => {
      const whole = root.querySelector(".whole")
      if (!whole.complete || !whole.naturalWidth) return
      const scale = side / Math.max(whole.naturalWidth, whole.naturalHeight)
      const [w, h] = [whole.naturalWidth * scale, whole.naturalHeight * scale]
      const place = [(side - w) / 2, (side - h) / 2, w, h]
      context.drawImage(whole, ...place)
      dim(context, place)
      drawHeat(context, state.data.sheets[channel.heat[0]], channel.heat[1], place, 1, again)
    }),
  )
  const words = make("div", "words")
  words.append(linkTo(channel.href, "", String(channel.channel), state), make("b", "", channel.value))
  card.append(pair, words, make("span", "label", channel.label))
  const show = (shown) => () => {
    state.shown = shown
    showStage(root, state)
  }
  const toggle = () => choose(root, state, state.layer, state.channel === channel.channel ? null : channel.channel)
  Object.assign(card, { onpointerenter: show(channel), onfocus: show(channel), onpointerleave: show(null), onblur: show(null), onclick: toggle })
  card.onkeydown = (event) => {
    if (event.target !== card || (event.key !== "Enter" && event.key !== " ")) return
    event.preventDefault()
    toggle()
  }
  return card
}

function square(draw) {
  const canvas = make("canvas")
  const side = 96 * (window.devicePixelRatio || 1)
  Object.assign(canvas, { width: side, height: side })
  const again = () => {
    const context = canvas.getContext("2d")
    context.imageSmoothingQuality = "high"
    context.clearRect(0, 0, side, side)
    draw(context, side, again)
  }
  again()
  return canvas
}
