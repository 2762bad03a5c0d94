"""What is done to the pixels that are shown: laws on 8-bit images."""
