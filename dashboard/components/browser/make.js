// Elements, and links that stay within the page unless another tab is asked for.

function make(kind, className, text) {
  const element = document.createElement(kind)
  if (className) element.className = className
  if (text !== undefined) element.textContent = text
  return element
}

function lead(link, href, go) {
  link.href = href
  link.onclick = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return
    event.preventDefault()
    go()
  }
}
