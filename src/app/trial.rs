//! Variants of what a card would make of the picture in front: in a strip and on the canvas,
//! before one of them is applied.
//!
//! A variant is the card's settings: choosing it sets the card, applying it runs the card. The
//! first follows the card as it is set. Networks that repaint everything are tried on a small copy
//! of the picture; what depends on its pixels, as filling a hole does, on the picture itself.

use super::ai::Card;
use super::effects::{EffectJob, EffectOutput, EffectPlan, EffectSettings};
use super::goal::Goal;
use super::jobs::{Latest, Wake};
use super::latent::Frame;
use super::state::{Outcome, TabId};
use crate::cli::report::sentence;
use crate::compose;
use crate::document::{Document, LayerMask, Session};
use crate::infer::protocol::{Output, Task};
use crate::pixels::TiledImage;

/// Longest side of the small copy, for a processor and for a graphics card.
const SIDE: [u32; 2] = [448, 1024];
/// Longest side of a picture in the strip.
const FRAME: u32 = 160;
/// Fills that are tried beside the one that is set.
const FILLS: u64 = 5;
/// Strengths that are tried, `0..=1`.
const STRENGTHS: [f32; 3] = [0.3, 0.6, 1.0];

impl Card {
    /// Whether its variants can be looked at before one is applied. Noise would be gone from a
    /// small copy, and a selection is no picture.
    pub const fn has_variants(self) -> bool {
        matches!(self, Self::Remove | Self::Light | Self::Style | Self::Translate)
    }

    const fn is_tried_small(self) -> bool {
        !matches!(self, Self::Remove)
    }
}

/// What a card would make with some settings.
pub struct Variant {
    pub label: String,
    pub settings: EffectSettings,
    seen: Option<Seen>,
    /// Why it cannot be shown, and with which settings.
    failed: Option<(EffectSettings, String)>,
}

/// How a variant looks.
struct Seen {
    with: EffectSettings,
    document: Document,
    frame: Frame,
}

impl Variant {
    fn new(label: impl Into<String>, settings: EffectSettings) -> Self {
        Self { label: label.into(), settings, seen: None, failed: None }
    }

    /// Its picture for the strip; of earlier settings while the new one is computed.
    pub fn frame(&self) -> Option<&Frame> {
        self.seen.as_ref().map(|seen| &seen.frame)
    }

    pub fn fault(&self) -> Option<&str> {
        self.failed.as_ref().map(|(_, reason)| reason.as_str())
    }

    fn is_wanted(&self) -> bool {
        let failed = self.failed.as_ref().is_some_and(|(with, _)| *with == self.settings);
        !failed && self.seen.as_ref().is_none_or(|seen| seen.with != self.settings)
    }
}

/// The variants of one card over one state of a document.
pub struct Trial {
    pub tab: TabId,
    pub card: Card,
    pub variants: Vec<Variant>,
    pub chosen: usize,
    of: Document,
    /// What is tried on, once it was made.
    base: Option<Document>,
    /// The small copy's longest side.
    side: u32,
}

impl Trial {
    /// The variants that a card has with these settings; `styles` of the network.
    pub fn new(
        tab: TabId,
        of: Document,
        card: Card,
        settings: &EffectSettings,
        styles: usize,
        on_gpu: bool,
    ) -> Self {
        let with = |change: &dyn Fn(&mut EffectSettings)| {
            let mut settings = settings.clone();
            change(&mut settings);
            settings
        };
        let mut variants = vec![Variant::new("As set", settings.clone())];
        match card {
            Card::Remove => {
                variants.extend((settings.seed + 1..=settings.seed + FILLS).map(|n| {
                    Variant::new(format!("Fill {n}"), with(&|settings| settings.seed = n))
                }))
            }
            Card::Style if styles > 0 => variants.extend((0..styles).map(|n| {
                let styles = vec![(n, 1.0)];
                Variant::new(format!("№ {n}"), with(&|settings| settings.styles = styles.clone()))
            })),
            Card::Style => variants.extend(STRENGTHS.map(|amount| {
                let label = format!("{:.0} %", amount * 100.0);
                Variant::new(label, with(&|settings| settings.amount = amount))
            })),
            _ => variants.extend(STRENGTHS.map(|strength| {
                let label = format!("{:.0} %", strength * 100.0);
                Variant::new(label, with(&|settings| settings.strength = strength))
            })),
        }
        let side = SIDE[usize::from(on_gpu)];
        Self { tab, card, variants, chosen: 0, of, base: None, side }
    }

    /// Whether the variants are made of a small copy.
    pub fn is_small(&self) -> bool {
        self.base.as_ref().is_some_and(|base| base.size != self.of.size)
    }

    /// What the canvas shows of it: the chosen variant.
    pub fn shown(&self) -> Option<&Document> {
        self.variants.get(self.chosen)?.seen.as_ref().map(|seen| &seen.document)
    }

    /// Whether the chosen variant is still being computed.
    pub fn is_behind(&self) -> bool {
        self.variants.get(self.chosen).is_some_and(Variant::is_wanted)
    }

    pub fn is_of(&self, tab: TabId, revision: u64) -> bool {
        self.tab == tab && self.of.revision() == revision
    }

    /// Takes the card as it is set now: as the chosen variant, or else as the first.
    fn follow(&mut self, settings: &EffectSettings) {
        if self.variants.get(self.chosen).is_some_and(|variant| variant.settings == *settings) {
            return;
        }
        self.chosen = 0;
        if let Some(first) = self.variants.first_mut() {
            first.settings = settings.clone();
        }
    }

    /// The variant that is computed next: the one that is looked at comes first.
    fn next(&self) -> Option<usize> {
        let wanted = |at: &usize| self.variants.get(*at).is_some_and(Variant::is_wanted);
        Some(self.chosen).filter(wanted).or_else(|| (0..self.variants.len()).find(wanted))
    }
}

/// What was asked for.
struct Asked {
    token: u64,
    at: usize,
    with: EffectSettings,
}

/// What the variants' own thread does.
enum Work {
    /// Makes the request; first the small copy where there is none yet.
    Prepare { token: u64, plan: Box<EffectPlan>, shrink_to: Option<u32> },
    /// Makes a document of the answer.
    Finish { token: u64, job: Box<EffectJob>, output: Box<Output> },
}

enum Done {
    Ready { token: u64, base: Document, request: Result<(Box<Task>, Goal), String> },
    Seen { token: u64, seen: Result<(Document, Frame), String> },
}

impl Work {
    fn run(self) -> Done {
        match self {
            Self::Prepare { token, mut plan, shrink_to } => {
                if let Some(side) = shrink_to {
                    plan.base = small(&plan.base, side);
                    plan.mask = plan.base.selection.clone();
                }
                let base = plan.base.clone();
                let request = plan.prepare().map(|(task, goal)| {
                    let Goal::Effect(job) = goal else { return (Box::new(task), goal) };
                    (Box::new(task), Goal::Trial { token, job })
                });
                Done::Ready { token, base, request }
            }
            Self::Finish { token, job, output } => {
                let seen = Goal::Effect(job).finish(&output).and_then(|outcome| {
                    let Outcome::Step { base, step, .. } = outcome else {
                        return Err("it makes no layer".into());
                    };
                    let mut session = Session::new(base, 0);
                    session.perform(&step.label, step.edits).map_err(|err| sentence(&err))?;
                    let document = session.document().clone();
                    let frame = Frame::of(&compose::thumbnail(&document, FRAME));
                    Ok((document, frame))
                });
                Done::Seen { token, seen }
            }
        }
    }
}

/// A copy of the document as it looks, at most `side` long, with its selection.
fn small(document: &Document, side: u32) -> Document {
    if document.size.width.max(document.size.height) <= side {
        return document.clone();
    }
    let pixels = compose::thumbnail(document, side).to_depth(document.depth);
    let (profile, metadata) = (document.profile.clone(), (*document.metadata).clone());
    let mut copy = Document::from_pixels(&pixels, "Preview", profile, metadata);
    copy.selection = document.selection.as_ref().map(|selection| {
        let mask = LayerMask::over_canvas(selection.clone());
        TiledImage::from_buf(&compose::mask_thumbnail(document, &mask, side))
    });
    copy
}

/// The open trial and the thread that works for it.
pub struct Trials {
    pub open: Option<Trial>,
    asked: Option<Asked>,
    worker: Latest<Work, Done>,
    /// Names the last question.
    token: u64,
    /// Another for each picture that comes.
    pub count: u64,
}

impl Trials {
    /// # Errors
    /// No thread can be started.
    pub fn spawn(wake: &Wake) -> Result<Self, std::io::Error> {
        let worker = Latest::spawn("variants", wake.clone(), Work::run)?;
        Ok(Self { open: None, asked: None, worker, token: 0, count: 0 })
    }

    pub fn close(&mut self) {
        self.open = None;
        self.asked = None;
    }

    /// Takes the card's settings; answers those that are to be tried next, where that is another
    /// question than the one that is being answered.
    pub fn next(&mut self, settings: &EffectSettings) -> Option<EffectSettings> {
        let trial = self.open.as_mut()?;
        trial.follow(settings);
        let at = trial.next()?;
        let variant = &trial.variants[at];
        let is_other = |asked: &Asked| {
            // What is looked at does not wait for the others.
            at == trial.chosen && (asked.at != at || asked.with != variant.settings)
        };
        if self.asked.as_ref().is_some_and(|asked| !is_other(asked)) {
            return None;
        }
        self.token += 1;
        self.asked = Some(Asked { token: self.token, at, with: variant.settings.clone() });
        // As a layer of its own: nothing of the picture is lost in it.
        Some(EffectSettings { output: EffectOutput::NewLayer, ..variant.settings.clone() })
    }

    /// Makes the request for what [`Trials::next`] has answered.
    pub fn prepare(&mut self, mut plan: EffectPlan) {
        let Some(trial) = &self.open else { return };
        let mut shrink_to = trial.card.is_tried_small().then_some(trial.side);
        if let Some(base) = &trial.base {
            plan.base = base.clone();
            plan.mask = base.selection.clone();
            shrink_to = None;
        }
        let plan = Box::new(plan);
        self.worker.ask(Work::Prepare { token: self.token, plan, shrink_to });
    }

    /// The inference thread has answered.
    pub fn finish(&mut self, token: u64, job: Box<EffectJob>, output: Output) {
        if self.is_asked(token) {
            self.worker.ask(Work::Finish { token, job, output: Box::new(output) });
        }
    }

    /// The question has no answer: it is asked again, unless `reason` says why it has none.
    pub fn give_up(&mut self, token: u64, reason: Option<String>) {
        let Some(asked) = self.asked.take_if(|asked| asked.token == token) else { return };
        let variant = self.open.as_mut().and_then(|trial| trial.variants.get_mut(asked.at));
        if let (Some(variant), Some(reason)) = (variant, reason) {
            variant.failed = Some((asked.with, reason));
        }
    }

    fn is_asked(&self, token: u64) -> bool {
        self.asked.as_ref().is_some_and(|asked| asked.token == token)
    }

    /// Takes what the thread has done; answers a request for the inference thread.
    pub fn update(&mut self) -> Option<(u64, Box<Task>, Goal)> {
        while let Some(done) = self.worker.answer() {
            match done {
                Done::Ready { token, base, request } if self.is_asked(token) => {
                    if let Some(trial) = &mut self.open {
                        trial.base = Some(base);
                    }
                    match request {
                        Ok((task, goal)) => return Some((token, task, goal)),
                        Err(reason) => self.give_up(token, Some(reason)),
                    }
                }
                Done::Seen { token, seen: Ok((document, frame)) } => {
                    let Some(asked) = self.asked.take_if(|asked| asked.token == token) else {
                        continue;
                    };
                    let trial = self.open.as_mut();
                    if let Some(variant) = trial.and_then(|open| open.variants.get_mut(asked.at)) {
                        variant.seen = Some(Seen { with: asked.with, document, frame });
                        self.count += 1;
                    }
                }
                Done::Seen { token, seen: Err(reason) } => self.give_up(token, Some(reason)),
                Done::Ready { .. } => {}
            }
        }
        None
    }
}
