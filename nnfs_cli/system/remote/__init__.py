"""Files behind a URL: `file` downloads them once, with `http` or with the `store` of objects; `upload` writes them."""
