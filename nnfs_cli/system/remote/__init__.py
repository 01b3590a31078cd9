"""Files behind a URL: downloaded once, read like local files, and written when they are complete.

Read `file` (a remote file with the methods of a path), `http` (web servers) and `store` (stores such as S3).
"""
