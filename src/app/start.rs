//! Starting the window: folders, log, adapter, inference thread.

use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui;
use eframe::egui_wgpu::{WgpuError, WgpuSetup};

use super::jobs::Wake;
use super::prefs::Prefs;
use super::{App, AppError, log};
use crate::device::DeviceChoice;
use crate::infer::models::ModelStore;
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
    let device = match (device, &prefs_file) {
        (DeviceChoice::Auto, Some(file)) => Prefs::load(file).device,
        (asked, _) => asked,
    };
    let mut options = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_title("Ganvas")
            .with_app_id("ganvas")
            .with_inner_size([1360.0, 860.0])
            .with_min_inner_size([800.0, 560.0])
            .with_drag_and_drop(true),
        renderer: eframe::Renderer::Wgpu,
        ..Default::default()
    };
    if let DeviceChoice::Gpu(index) = device {
        choose_adapter(&mut options, index);
    }
    let ran = eframe::run_native(
        "Ganvas",
        options,
        Box::new(move |creation| {
            let adapter = adapter_of(creation);
            let setup = Setup {
                files,
                prefs_file,
                library: Library::discover(),
                service: Box::new(|wake| start_service(wake, Library::discover())),
                networks_on_gpu: false,
                adapter,
            };
            let app = App::new(&creation.egui_ctx, setup)?;
            Ok(Box::new(match &creation.wgpu_render_state {
                Some(state) => app.drawn_by(state),
                None => app,
            }))
        }),
    );
    ran.map_err(|err| match err {
        eframe::Error::Wgpu(WgpuError::CustomNativeAdapterSelectionError(reason)) => {
            AppError::Device(reason)
        }
        eframe::Error::Wgpu(_) => AppError::NoAdapter,
        other => AppError::Window(other.to_string()),
    })
}

/// Opens the window on adapter `index` of the machine's list.
fn choose_adapter(options: &mut eframe::NativeOptions, index: usize) {
    if let WgpuSetup::CreateNew(setup) = &mut options.wgpu_options.wgpu_setup {
        setup.native_adapter_selector = Some(Arc::new(move |adapters, _surface| {
            let count = adapters.len();
            let chosen = adapters.get(index).cloned();
            chosen.ok_or_else(|| format!("there is no adapter {index}; this machine has {count}"))
        }));
    }
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

/// Networks run on the processor: beside a rasteriser that is faster than any shader, and a
/// graphics card is not yet shared with them.
fn start_service(wake: Wake, library: Library) -> Result<Service, String> {
    Service::spawn(move || ModelStore::for_processor(library), wake).map_err(|err| err.to_string())
}
