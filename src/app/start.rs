//! Starting the window: folders, log, devices, inference thread; and starting it again when its
//! device is lost.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use eframe::egui;
use eframe::egui_wgpu::{RenderState, SurfaceErrorAction, WgpuSetup, WgpuSetupExisting};

use super::desk::Desk;
use super::jobs::Wake;
use super::prefs::Prefs;
use super::{App, AppError, log};
use crate::device::DeviceChoice;
use crate::gpu::{self, GpuContext, PatchMatcher, Survey};
use crate::infer::Device;
use crate::infer::interop::{NetworkDevice, SharedGpu};
use crate::infer::models::ModelStore;
use crate::infer::service::Service;
use crate::ops::{Engine, Processor};
use crate::zoo::Library;

/// Devices that one run may lose before it gives up.
const MAX_LOSSES: u32 = 3;

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
    /// Where networks learn.
    pub device: Device,
    /// The folder of training runs; `None` keeps none.
    pub runs: Option<PathBuf>,
    /// The folder of thumbnails of recent files; `None` keeps none.
    pub previews: Option<PathBuf>,
    /// The graphics adapter in words.
    pub adapter: String,
    /// Runs operations at full size.
    pub engine: Arc<dyn Engine>,
    /// What the user must hear at once.
    pub notices: Vec<String>,
    /// Where the window before left its work, and this one will.
    pub desk: Desk,
    /// When the start of the window began.
    pub started: Instant,
}

impl Setup {
    /// A window with files and nothing else: no preferences, no networks, no adapter.
    pub fn bare(files: Vec<PathBuf>) -> Self {
        Self {
            files,
            prefs_file: None,
            library: Library::of(None, None),
            service: Box::new(|_| Err("this window has none".into())),
            networks_on_gpu: false,
            device: Device::flex(),
            runs: None,
            previews: None,
            adapter: "no graphics adapter".into(),
            engine: Arc::new(Processor),
            notices: Vec::new(),
            desk: Desk::default(),
            started: Instant::now(),
        }
    }
}

/// Opens the editor with `files` and stays until it is closed.
pub fn run(mut files: Vec<PathBuf>, device: DeviceChoice) -> Result<(), AppError> {
    let mut started = Instant::now();
    let folders = directories::ProjectDirs::from("", "", "ganvas");
    let data = folders.as_ref().map(|folders| folders.data_dir().to_path_buf());
    log::init(data.as_deref());
    log::catch_panics(data);
    let runs = folders.as_ref().map(|folders| folders.data_dir().join("training"));
    let previews = folders.as_ref().map(|folders| folders.cache_dir().join("previews"));
    let prefs_file = folders.map(|folders| folders.config_dir().join("preferences.json"));
    let choice = match (device, &prefs_file) {
        (DeviceChoice::Auto, Some(file)) => Prefs::load(file).device,
        (asked, _) => asked,
    };
    let survey = Survey::take(choice).map_err(|err| AppError::Device(err.to_string()))?;
    let surveyed = started.elapsed();
    let mut networks = NetworkDevice::open(survey.plan(), survey.facts());
    tracing::info!(
        plan = ?survey.plan(),
        survey_ms = surveyed.as_millis(),
        networks_ms = (started.elapsed() - surveyed).as_millis(),
        "devices"
    );
    let mut notices: Vec<_> = survey.remark().into_iter().collect();
    if let Some(reason) = &networks.fallback {
        notices.push(format!("Networks run on the processor: {reason}"));
    }
    let desk = Desk::default();
    let (mut losses, mut broke_off) = (0, false);
    loop {
        let was_shared = networks.shared.is_some();
        let mut drawn_by = None;
        let window = Window {
            files: &mut files,
            notices: &mut notices,
            prefs_file: prefs_file.as_deref(),
            runs: runs.as_deref(),
            previews: previews.as_deref(),
            survey: &survey,
            choice,
            networks,
            desk: &desk,
            drawn_by: &mut drawn_by,
            started,
        };
        // A window that draws on a lost device panics; its work is on the desk by then.
        let ran = catch_unwind(AssertUnwindSafe(|| window.open()));
        if let (Err(_), Some(Err(err))) = (&ran, drawn_by.as_ref().map(GpuContext::probe)) {
            desk.loss.report(err.to_string());
        }
        (networks, started) = (NetworkDevice::cpu(), Instant::now());
        let ends_run_before = std::mem::replace(&mut broke_off, ran.is_err());
        match (desk.loss.take(), ran) {
            (Some(reason), _) if losses < MAX_LOSSES => {
                losses += 1;
                notices.push(format!(
                    "This is a new window with the same work, for {reason}; networks run on the \
                     processor until the next start"
                ));
            }
            (_, Ok(Err(eframe::Error::Wgpu(err)))) if was_shared => {
                tracing::warn!(%err, "the networks' adapter cannot draw to the window");
                notices.push(
                    "The networks' graphics adapter cannot draw to this window; networks run on \
                     the processor"
                        .into(),
                );
            }
            // After a run that broke off, the event loop of X11 first ends that one.
            (None, Ok(Ok(()))) if ends_run_before && drawn_by.is_none() => {}
            (_, Ok(ran)) => return ran.map_err(AppError::from),
            (_, Err(panic)) => std::panic::resume_unwind(panic),
        }
    }
}

/// One run of eframe.
struct Window<'a> {
    /// Files and notices are taken by the first window that opens.
    files: &'a mut Vec<PathBuf>,
    notices: &'a mut Vec<String>,
    prefs_file: Option<&'a Path>,
    runs: Option<&'a Path>,
    previews: Option<&'a Path>,
    survey: &'a Survey,
    choice: DeviceChoice,
    networks: NetworkDevice,
    desk: &'a Desk,
    /// Learns the device that the window came up on.
    drawn_by: &'a mut Option<GpuContext>,
    started: Instant,
}

impl Window<'_> {
    fn open(self) -> Result<(), eframe::Error> {
        let options = self.options();
        eframe::run_native(
            "Ganvas",
            options,
            Box::new(|creation| Ok(Box::new(self.app(creation)?))),
        )
    }

    fn options(&self) -> eframe::NativeOptions {
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
        let wgpu = &mut options.wgpu_options;
        match (&self.networks.shared, &mut wgpu.wgpu_setup) {
            (Some(SharedGpu { instance, context }), setup) => {
                *setup = WgpuSetup::Existing(WgpuSetupExisting {
                    instance: instance.clone(),
                    adapter: context.adapter().clone(),
                    device: context.device().clone(),
                    queue: context.queue().clone(),
                });
            }
            (None, WgpuSetup::CreateNew(setup)) => {
                setup.native_adapter_selector = Some(Arc::new(self.survey.presenter()));
            }
            (None, WgpuSetup::Existing(_)) => {}
        }
        let others = Arc::clone(&wgpu.on_surface_status);
        let loss = self.desk.loss.clone();
        wgpu.on_surface_status = Arc::new(move |status| {
            if gpu::is_surface_refused(status) {
                loss.report("the graphics device was lost: it draws no more");
                // Asks for one more frame, in which the loss is seen.
                return SurfaceErrorAction::Reconfigure;
            }
            others(status)
        });
        options
    }

    fn app(self, creation: &eframe::CreationContext<'_>) -> Result<App, AppError> {
        let NetworkDevice { device, shared, .. } = self.networks;
        let (networks_on_gpu, learning) = (shared.is_some(), device.clone());
        let matcher = shared.as_ref().map(|shared| PatchMatcher::new(&shared.context));
        let store = |device| ModelStore::new(Library::discover(), device);
        let state = creation.wgpu_render_state.as_ref();
        let context = match (shared, state) {
            (Some(shared), _) => Some(shared.context),
            (None, Some(state)) => {
                let context = own_context(state);
                self.notices.extend(self.survey.replacement(&context));
                Some(context)
            }
            (None, None) => None,
        };
        self.drawn_by.clone_from(&context);
        let setup = Setup {
            files: std::mem::take(self.files),
            prefs_file: self.prefs_file.map(Path::to_path_buf),
            library: Library::discover(),
            service: Box::new(move |wake| {
                let models = move || match matcher {
                    Some(matcher) => store(device).matching_on(matcher),
                    None => store(device),
                };
                Service::spawn(models, wake).map_err(|err| err.to_string())
            }),
            networks_on_gpu,
            device: learning,
            runs: self.runs.map(Path::to_path_buf),
            previews: self.previews.map(Path::to_path_buf),
            adapter: context.as_ref().map_or("no graphics adapter".into(), |context| {
                format!("{} ({:?})", context.facts().name, context.facts().backend)
            }),
            engine: match &context {
                Some(context) => gpu::engine(context, self.choice),
                None => Arc::new(Processor),
            },
            notices: std::mem::take(self.notices),
            desk: self.desk.clone(),
            started: self.started,
        };
        let app = App::new(&creation.egui_ctx, setup)?.on_desktop(&creation.egui_ctx);
        Ok(match (state, context) {
            (Some(state), Some(context)) => app.drawn_by(state, context),
            _ => app,
        })
    }
}

/// The device that eframe opened for the window.
fn own_context(state: &RenderState) -> GpuContext {
    let context =
        GpuContext::from_handles(state.adapter.clone(), state.device.clone(), state.queue.clone());
    context.watch_loss();
    context
}
