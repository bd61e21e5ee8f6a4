//! Starting the window: folders, log, adapter, inference thread.

use std::path::PathBuf;

use eframe::egui;

use super::jobs::Wake;
use super::{App, AppError, log};
use crate::device::DeviceChoice;
use crate::infer::service::Service;
use crate::zoo::Library;

/// Starts the inference thread, given what wakes the window, or says why it cannot.
pub type StartService = Box<dyn FnOnce(Wake) -> Result<Service, String>>;

/// What a window is started with; tests bring their own.
pub struct Setup {
    pub files: Vec<PathBuf>,
    /// Where preferences are kept; `None` keeps nothing.
    pub prefs_file: Option<PathBuf>,
    pub library: Library,
    pub service: StartService,
    pub networks_on_gpu: bool,
    /// The graphics adapter in words.
    pub adapter: String,
}

/// Opens the editor with `files` and stays until it is closed.
pub fn run(files: Vec<PathBuf>, device: DeviceChoice) -> Result<(), AppError> {
    let folders = directories::ProjectDirs::from("", "", "ganvas");
    let data = folders.as_ref().map(|folders| folders.data_dir().to_path_buf());
    log::init(data.as_deref());
    log::catch_panics(data);
    let prefs_file = folders.map(|folders| folders.config_dir().join("preferences.json"));
    let options = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_title("Ganvas")
            .with_app_id("ganvas")
            .with_inner_size([1360.0, 860.0])
            .with_min_inner_size([800.0, 560.0])
            .with_drag_and_drop(true),
        renderer: eframe::Renderer::Wgpu,
        ..Default::default()
    };
    let ran = eframe::run_native(
        "Ganvas",
        options,
        Box::new(move |creation| {
            let adapter = adapter_of(creation);
            let setup = Setup {
                files,
                prefs_file,
                library: Library::discover(),
                service: Box::new(move |wake| start_service(wake, device)),
                networks_on_gpu: false,
                adapter,
            };
            Ok(Box::new(App::new(&creation.egui_ctx, setup)?))
        }),
    );
    ran.map_err(|err| match err {
        eframe::Error::Wgpu(_) => AppError::NoAdapter,
        other => AppError::Window(other.to_string()),
    })
}

fn adapter_of(creation: &eframe::CreationContext<'_>) -> String {
    creation.wgpu_render_state.as_ref().map_or_else(
        || "no graphics adapter".into(),
        |state| {
            let info = state.adapter.get_info();
            format!("{} ({:?})", info.name, info.backend)
        },
    )
}

fn start_service(_wake: Wake, _device: DeviceChoice) -> Result<Service, String> {
    Err("this build holds no networks yet".into())
}
