//! Why the window cannot open.

#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error(
        "no graphics adapter was found; install a Vulkan driver (Debian and Ubuntu: \
         mesa-vulkan-drivers, Fedora: mesa-vulkan-drivers, Arch: vulkan-swrast)"
    )]
    NoAdapter,
    #[error("the device cannot be used: {0}")]
    Device(String),
    #[error("a worker thread cannot be started")]
    Thread(#[from] std::io::Error),
    #[error("the window cannot be opened: {0}")]
    Window(String),
}

impl From<eframe::Error> for AppError {
    fn from(err: eframe::Error) -> Self {
        match err {
            eframe::Error::Wgpu(_) => Self::NoAdapter,
            other => Self::Window(other.to_string()),
        }
    }
}
