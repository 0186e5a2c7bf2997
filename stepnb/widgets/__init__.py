"""What is shown in a notebook: the voice panel, live turns and their static forms."""
