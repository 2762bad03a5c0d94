"""Models behind an OpenAI-compatible server: vLLM, SGLang, llama.cpp, Ollama, ``transformers serve``, hosted ones."""

from auditkit.models.endpoint.model import EndpointModel
from auditkit.models.endpoint.probe import probe

__all__ = ["EndpointModel", "probe"]
