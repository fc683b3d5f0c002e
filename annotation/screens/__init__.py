"""The pages people work on: one module a screen, served below /admin/ beside Django's own pages of rows."""
