// What is wider than the page scrolls in its place: then keys must reach it, to move it.

const WIDE = ".md-typeset__scrollwrap, figure.drawing, .formula, .smol-frame";
const article = document.querySelector("article");

function reach() {
  for (const box of article.querySelectorAll(WIDE)) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

if (article) new ResizeObserver(reach).observe(article);
