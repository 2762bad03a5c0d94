"""Rendering of the record: nothing here measures, decides, or needs a model, an image or the store."""
