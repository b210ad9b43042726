// A place to drop a file on. The browser streams it; nothing of it passes through the page's own connection.

const ZONES = new WeakMap()

export default function (component) {
  const { parentElement, data } = component
  const root = parentElement.querySelector(".dropzone")
  const state = ZONES.get(parentElement) || listen(root, { request: null })
  ZONES.set(parentElement, state)
  Object.assign(state, { data, tell: component.setTriggerValue })
  root.querySelector(".title").textContent = data.title
  root.querySelector(".about").textContent = data.about
}

function listen(root, state) {
  const target = root.querySelector(".target")
  const input = root.querySelector("input")
  input.onchange = () => {
    if (input.files.length) send(root, state, input.files[0])
    input.value = ""
  }
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
    target.addEventListener(kind, (event) => {
      event.preventDefault()
      target.classList.toggle("over", kind === "dragenter" || kind === "dragover")
      const [file] = kind === "drop" ? event.dataTransfer.files : []
      if (file) send(root, state, file)
    })
  }
  root.querySelector("button").onclick = () => state.request?.abort()
  return state
}

function send(root, state, file) {
  const request = new XMLHttpRequest()
  state.request = request
  root.querySelector(".name").textContent = file.name
  show(root, "going")
  told(root, 0, file.size)
  request.upload.onprogress = (event) => told(root, event.loaded, file.size)
  request.onload = () => {
    show(root, "target")
    if (request.status === 200) state.tell("brought", JSON.parse(request.responseText).id)
    else wrong(root, request.responseText || `The server answered ${request.status}. Try again.`)
  }
  request.onerror = () => wrong(root, "The connection broke off. Try again.")
  request.onabort = () => show(root, "target")
  request.open("PUT", `${state.data.to}?name=${encodeURIComponent(file.name)}`)
  request.send(file)
}

function show(root, part) {
  for (const name of ["target", "going", "wrong"]) root.querySelector(`.${name}`).hidden = name !== part
}

function wrong(root, words) {
  show(root, "target")
  const line = root.querySelector(".wrong")
  line.textContent = words
  line.hidden = false
}

function told(root, sent, size) {
  root.querySelector("progress").value = size ? sent / size : 0
  const whole = sent >= size && size > 0
  root.querySelector(".share").textContent = whole ? "looking at it …" : `${sized(sent)} of ${sized(size)}`
}

function sized(bytes) {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(0)} kB` : bytes < 1e9 ? `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB` : `${(bytes / 1e9).toFixed(2)} GB`
}
