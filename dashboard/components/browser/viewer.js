// An image before and after, under one sliding seam, and the pictures on the way from one to the other.

const VIEWERS = new WeakMap()

export default function (component) {
  const { parentElement, data } = component
  const root = parentElement.querySelector(".viewer")
  let state = VIEWERS.get(parentElement)
  if (!state) {
    state = { chosen: null, filmed: null }
    VIEWERS.set(parentElement, state)
    const slider = root.querySelector("input")
    const slide = () => root.style.setProperty("--at", `${slider.value / 10}%`)
    slider.oninput = slide
    slide()
  }
  const last = data.frames.length - 1
  if (state.filmed !== null && (state.chosen === state.filmed || state.chosen > last)) state.chosen = last
  state.filmed = last
  state.chosen ??= data.frames.length ? last : null
  root.style.setProperty("--film", `${data.film}px`)
  fit(root, data)
  show(root, data, state)
  fillFilm(root, data, state)
  const keep = root.querySelector(".keep")
  keep.hidden = !data.download
  if (data.download) Object.assign(keep, { href: data.download, textContent: "Download the dream (PNG)" })
}

// As wide as the page allows, and no taller than what is left of the screen.
function fit(root, data) {
  const before = root.querySelector(".before")
  const size = () => {
    const share = before.naturalWidth / Math.max(1, before.naturalHeight)
    root.style.setProperty("--width", `min(100%, calc((100vh - ${data.beside}px) * ${share}))`)
  }
  before.onload = size
  if (before.getAttribute("src") !== data.before) before.src = data.before
  else if (before.complete && before.naturalWidth) size()
}

function show(root, data, state) {
  const after = root.querySelector(".after")
  const frame = data.frames[state.chosen]
  for (const part of root.querySelectorAll(".after, .seam, .tag, input")) part.style.display = frame ? "" : "none"
  if (frame && after.getAttribute("src") !== frame.url) after.src = frame.url
  if (frame) root.querySelector(".tag.right").textContent = frame.label
}

function fillFilm(root, data, state) {
  const film = root.querySelector(".film")
  while (film.children.length > data.frames.length) film.lastChild.remove()
  data.frames.forEach((frame, k) => {
    let button = film.children[k]
    if (!button) {
      button = document.createElement("button")
      button.type = "button"
      button.setAttribute("role", "option")
      button.append(document.createElement("img"), document.createElement("span"))
      film.append(button)
    }
    const [image, words] = button.children
    if (image.getAttribute("src") !== frame.url) image.src = frame.url
    image.alt = frame.label
    words.textContent = frame.label
    button.setAttribute("aria-selected", String(k === state.chosen))
    button.onclick = () => {
      state.chosen = k
      show(root, data, state)
      fillFilm(root, data, state)
    }
  })
}
