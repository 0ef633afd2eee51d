"""The backward pass told step by step, as text, Markdown, HTML or a table in a terminal."""
