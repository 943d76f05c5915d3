"""How the store's schema came to be: one file in ``versions`` for each step, never edited later."""
