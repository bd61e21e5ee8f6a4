//! Copied pixels: those of this program as they are, those of others through the desktop's
//! clipboard, which a thread of its own reads and writes.
//!
//! The window library is built without its clipboard. It then reports Ctrl+V only while the text
//! that it remembers itself is not empty, which is why it is given one.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded};
use eframe::egui;
use egui::{Event, OutputCommand};

use super::jobs::Wake;
use super::observe::to_srgb8;
use crate::color::WorkingProfile;
use crate::document::Synthesis;
use crate::geom::Size;
use crate::pixels::{PixelBuf, Samples};

/// What the window library remembers as text until a person copies some.
const PLACEHOLDER: &str = "\u{2060}";
/// Requests that may wait for a slow desktop; further ones are given up.
const SLOTS: usize = 8;

/// Pixels copied in this program.
#[derive(Clone, Debug)]
pub struct Copied {
    pub pixels: Arc<PixelBuf>,
    /// Document position of the top left pixel.
    pub at: (i32, i32),
    pub profile: WorkingProfile,
    pub synthesis: Synthesis,
}

/// What there is to paste.
#[derive(Clone, Debug)]
pub enum Content {
    Own(Copied),
    /// Another program's picture: RGBA, sRGB.
    Picture(Arc<PixelBuf>),
    Nothing,
}

enum Request {
    Write(Copied),
    WriteText(String),
    Read,
    ReadText,
}

enum Answer {
    /// What [`Request::Write`] has put there last.
    Ours,
    Picture(PixelBuf),
    Text(String),
    Nothing,
    /// There is no clipboard to talk to.
    Unreachable,
}

struct Desktop {
    requests: Sender<Request>,
    answers: Receiver<Answer>,
}

/// The program's own clipboard and, once joined, the desktop's.
pub struct Clipboard {
    /// What was copied last in this program.
    pub own: Option<Copied>,
    desktop: Option<Desktop>,
    /// What was asked for and is known by now.
    found: Vec<Content>,
    /// Texts to be pasted where a person types.
    texts: Vec<String>,
    has_placeholder: bool,
}

impl Clipboard {
    pub const fn new() -> Self {
        Self {
            own: None,
            desktop: None,
            found: Vec::new(),
            texts: Vec::new(),
            has_placeholder: false,
        }
    }

    /// Shares what is copied with other programs from now on.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn join_desktop(&mut self, wake: &Wake) -> Result<(), std::io::Error> {
        let (requests, inbox) = bounded(SLOTS);
        let (outbox, answers) = bounded(SLOTS);
        let wake = wake.clone();
        std::thread::Builder::new().name("clipboard".into()).spawn(move || {
            serve(&inbox, |answer| {
                let sent = outbox.send(answer).is_ok();
                wake();
                sent
            });
        })?;
        self.desktop = Some(Desktop { requests, answers });
        Ok(())
    }

    pub fn put(&mut self, copied: Copied) {
        self.request(Request::Write(copied.clone()));
        self.own = Some(copied);
    }

    /// Asks what there is to paste; [`Clipboard::drain`] tells it.
    pub fn ask(&mut self) {
        if !self.request(Request::Read) {
            self.found.push(self.content());
        }
    }

    fn request(&self, request: Request) -> bool {
        let Some(desktop) = &self.desktop else { return false };
        let sent = desktop.requests.try_send(request).is_ok();
        if !sent {
            tracing::warn!("the desktop's clipboard does not answer");
        }
        sent
    }

    fn content(&self) -> Content {
        self.own.clone().map_or(Content::Nothing, Content::Own)
    }

    /// What was asked for and is known by now.
    pub fn drain(&mut self) -> Vec<Content> {
        self.receive();
        std::mem::take(&mut self.found)
    }

    fn receive(&mut self) {
        let answers: Vec<_> =
            self.desktop.iter().flat_map(|desktop| desktop.answers.try_iter()).collect();
        for answer in answers {
            match answer {
                Answer::Ours => self.found.push(self.content()),
                Answer::Picture(pixels) => self.found.push(Content::Picture(Arc::new(pixels))),
                Answer::Text(text) => self.texts.push(text),
                Answer::Nothing => self.found.push(Content::Nothing),
                Answer::Unreachable => self.desktop = None,
            }
        }
    }

    /// Brings the desktop's text to where a person types. The window library's own memory of text
    /// stands in only where there is no desktop.
    pub fn take_events(&mut self, typing: bool, input: &mut egui::RawInput) {
        self.receive();
        if !typing {
            return self.texts.clear();
        }
        let has_desktop = self.desktop.is_some();
        let before = input.events.len();
        input.events.retain(|event| match event {
            Event::Paste(text) => !has_desktop && text != PLACEHOLDER,
            _ => true,
        });
        if has_desktop && input.events.len() < before {
            self.request(Request::ReadText);
        }
        input.events.extend(self.texts.drain(..).map(Event::Paste));
    }

    /// Passes copied text on, at the end of a frame.
    pub fn end_frame(&mut self, ctx: &egui::Context) {
        let texts: Vec<_> = ctx.output(|output| {
            let text = |command: &OutputCommand| match command {
                OutputCommand::CopyText(text) if text != PLACEHOLDER => Some(text.clone()),
                _ => None,
            };
            output.commands.iter().filter_map(text).collect()
        });
        for text in texts {
            self.request(Request::WriteText(text));
        }
        if !self.has_placeholder {
            self.has_placeholder = true;
            ctx.copy_text(PLACEHOLDER.into());
        }
    }
}

/// The clipboard's thread: ends with the window.
fn serve(requests: &Receiver<Request>, mut answer: impl FnMut(Answer) -> bool) {
    let mut desktop = match arboard::Clipboard::new() {
        Ok(desktop) => desktop,
        Err(err) => {
            tracing::info!("no clipboard to share with other programs: {err}");
            answer(Answer::Unreachable);
            return;
        }
    };
    let mut written = None;
    for request in requests {
        let going = match request {
            Request::Write(copied) => {
                written = write(&mut desktop, &copied);
                true
            }
            Request::WriteText(text) => {
                if let Err(err) = desktop.set_text(text) {
                    tracing::warn!("the text was not copied: {err}");
                }
                true
            }
            Request::Read => answer(read(&mut desktop, written)),
            Request::ReadText => desktop.get_text().map_or(true, |text| answer(Answer::Text(text))),
        };
        if !going {
            return;
        }
    }
}

/// Answers what names the picture that is there now.
fn write(desktop: &mut arboard::Clipboard, copied: &Copied) -> Option<u64> {
    let bytes = to_srgb8(&copied.pixels, &copied.profile);
    let size = copied.pixels.size();
    let image = arboard::ImageData {
        width: size.width as usize,
        height: size.height as usize,
        bytes: bytes.into(),
    };
    let name = name_of(&image);
    match desktop.set_image(image) {
        Ok(()) => Some(name),
        Err(err) => {
            tracing::warn!("the picture was not copied for other programs: {err}");
            None
        }
    }
}

fn read(desktop: &mut arboard::Clipboard, written: Option<u64>) -> Answer {
    let image = match desktop.get_image() {
        Ok(image) => image,
        Err(err) => {
            tracing::debug!("no picture to paste: {err}");
            return Answer::Nothing;
        }
    };
    if written == Some(name_of(&image)) {
        return Answer::Ours;
    }
    let side = |length: usize| u32::try_from(length).ok();
    let size = side(image.width).zip(side(image.height)).map(|(w, h)| Size::new(w, h));
    let pixels = size
        .filter(|size| size.is_acceptable())
        .and_then(|size| PixelBuf::from_samples(size, 4, Samples::U8(image.bytes.into_owned())));
    pixels.map_or(Answer::Nothing, Answer::Picture)
}

fn name_of(image: &arboard::ImageData) -> u64 {
    let mut hasher = DefaultHasher::new();
    (image.width, image.height, &image.bytes).hash(&mut hasher);
    hasher.finish()
}
