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
use crate::document::{Document, Edit, LayerMask, LayerProps, Session};
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

    /// Whether what it makes of a small copy looks as what it makes of the picture.
    pub const fn is_tried_small(self) -> bool {
        matches!(self, Self::Light | Self::Style | Self::Translate)
    }
}

/// What tells a variant from the others; all else is the card's.
enum Own {
    Seed(u64),
    Styles(Vec<(usize, f32)>),
    Amount(f32),
    Strength(f32),
}

impl Own {
    /// The same setting of others.
    fn of(&self, settings: &EffectSettings) -> Self {
        match self {
            Self::Seed(_) => Self::Seed(settings.seed),
            Self::Styles(_) => Self::Styles(settings.styles.clone()),
            Self::Amount(_) => Self::Amount(settings.amount),
            Self::Strength(_) => Self::Strength(settings.strength),
        }
    }

    /// These settings, but for this one.
    fn put_in(&self, settings: &EffectSettings) -> EffectSettings {
        let mut settings = settings.clone();
        match self {
            Self::Seed(seed) => settings.seed = *seed,
            Self::Styles(styles) => settings.styles.clone_from(styles),
            Self::Amount(amount) => settings.amount = *amount,
            Self::Strength(strength) => settings.strength = *strength,
        }
        settings
    }
}

/// What a card would make with some settings.
pub struct Variant {
    pub label: String,
    own: Own,
    pub settings: EffectSettings,
    seen: Option<Seen>,
    /// Why it cannot be shown, and with which settings.
    failed: Option<(EffectSettings, String)>,
}

/// How a variant looks.
struct Seen {
    with: EffectSettings,
    document: Document,
    /// Whether it is a layer whose opacity is the strength.
    is_layer: bool,
    frame: Frame,
}

impl Variant {
    fn new(label: impl Into<String>, own: Own, settings: &EffectSettings) -> Self {
        let settings = own.put_in(settings);
        Self { label: label.into(), own, settings, seen: None, failed: None }
    }

    /// Another strength is another opacity of what is there already: it needs no network.
    fn fade(&mut self) {
        let Some(seen) = &mut self.seen else { return };
        let strength = self.settings.strength;
        let is_all = EffectSettings { strength, ..seen.with.clone() } == self.settings;
        let layer = seen.document.active_layer().filter(|_| seen.is_layer && is_all);
        let Some((id, props)) = layer.map(|layer| (layer.id, layer.props.clone())) else { return };
        let props = LayerProps { opacity: strength, ..props };
        let mut session = Session::new(seen.document.clone(), 0);
        if session.perform("Strength", [Edit::SetProps { id, props }]).is_ok() {
            (seen.document, seen.with) = (session.document().clone(), self.settings.clone());
        }
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
    /// Whether there are several to choose from, in a strip.
    pub has_strip: bool,
    of: Document,
    /// What is tried on, once it was made.
    base: Option<Document>,
    /// The small copy's longest side.
    side: u32,
}

impl Trial {
    /// The variants that a card has with these settings; `styles` of the network. Without a strip
    /// it is the card as it is set.
    pub fn new(
        tab: TabId,
        of: Document,
        card: Card,
        settings: &EffectSettings,
        styles: usize,
        has_strip: bool,
        on_gpu: bool,
    ) -> Self {
        let percent = |share: f32| format!("{:.0} %", share * 100.0);
        let (own, others): (Own, Vec<(String, Own)>) = match card {
            Card::Remove => {
                let seeds = settings.seed + 1..=settings.seed + FILLS;
                let fills = seeds.map(|n| (format!("Fill {n}"), Own::Seed(n)));
                (Own::Seed(settings.seed), fills.collect())
            }
            Card::Style if styles > 0 => {
                let all = (0..styles).map(|n| (format!("№ {n}"), Own::Styles(vec![(n, 1.0)])));
                (Own::Styles(settings.styles.clone()), all.collect())
            }
            Card::Style => {
                let amounts = STRENGTHS.map(|share| (percent(share), Own::Amount(share)));
                (Own::Amount(settings.amount), amounts.into())
            }
            _ => {
                let strengths = STRENGTHS.map(|share| (percent(share), Own::Strength(share)));
                (Own::Strength(settings.strength), strengths.into())
            }
        };
        let others = others.into_iter().filter(|_| has_strip);
        let all = std::iter::once(("As set".to_owned(), own)).chain(others);
        let variants = all.map(|(label, own)| Variant::new(label, own, settings)).collect();
        let side = SIDE[usize::from(on_gpu)];
        Self { tab, card, variants, chosen: 0, has_strip, of, base: None, side }
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

    /// Takes the card as it is set now: what the variants have in common goes to all of them; with
    /// another setting of the kind that tells them apart it is the first.
    fn follow(&mut self, settings: &EffectSettings) {
        let Some(chosen) = self.variants.get(self.chosen) else { return };
        if chosen.settings == *settings {
            return;
        }
        if chosen.own.put_in(settings) != *settings {
            self.chosen = 0;
            if let Some(first) = self.variants.first_mut() {
                first.own = first.own.of(settings);
            }
        }
        for variant in &mut self.variants {
            variant.settings = variant.own.put_in(settings);
            variant.fade();
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
    Prepare { token: u64, plan: Box<EffectPlan>, is_fresh: bool, shrink_to: Option<u32> },
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
            Self::Prepare { token, mut plan, is_fresh, shrink_to } => {
                let unpacked = plan.unpack();
                if is_fresh {
                    // A layer that is made anew is tried beside itself.
                    plan.base = plan.seen();
                    plan.base.selection = plan.mask.take();
                }
                plan.replaces = None;
                if let Some(side) = shrink_to {
                    plan.base = small(&plan.base, side);
                }
                plan.mask = plan.base.selection.clone();
                let base = plan.base.clone();
                let request = unpacked.and_then(|()| plan.prepare()).map(|(task, goal)| {
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
        let is_fresh = trial.base.is_none();
        let shrink_to = (trial.card.is_tried_small() && is_fresh).then_some(trial.side);
        if let Some(base) = &trial.base {
            plan.base = base.clone();
        }
        let (token, plan) = (self.token, Box::new(plan));
        self.worker.ask(Work::Prepare { token, plan, is_fresh, shrink_to });
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
                    let card = trial.as_ref().map_or(Card::Remove, |open| open.card);
                    if let Some(variant) = trial.and_then(|open| open.variants.get_mut(asked.at)) {
                        let is_layer = card != Card::Remove;
                        let with = asked.with;
                        variant.seen = Some(Seen { with, document, is_layer, frame });
                        variant.fade();
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
