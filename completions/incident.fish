# The words before the cursor, without quotes and backslashes, and the one at the cursor.
complete --keep-order --exclusive --command incident --arguments "(INCIDENT_COMPLETE=fish incident -- (commandline --current-process --tokenize --cut-at-cursor) (string unescape -- (commandline --current-token --cut-at-cursor)))"
