"""The graph as a picture: collected, folded, laid out, and written as SVG, DOT or Mermaid."""
