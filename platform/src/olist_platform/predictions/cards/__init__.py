"""Model cards: one page per model, written from what is stored and what the back-test found."""
