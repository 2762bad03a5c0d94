"""Images: records without identities, and the sources they come from."""
