//! Networks against published numbers, the loaders and the inference service.
