//! Networks against published numbers, the loaders and the inference service.

mod parity;
mod seams;
mod store;
