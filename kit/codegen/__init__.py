"""Pure generators: text and bytes from models and targets; the caller writes them."""
