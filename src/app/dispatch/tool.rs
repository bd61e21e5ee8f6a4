//! Tool events to the tool in hand, and what it answers to the session and the view.

use std::sync::Arc;

use crate::app::ai::Card;
use crate::app::state::{Model, Tab};
use crate::document::SessionError;
use crate::tools::{self, Swatch, ToolCommand, ToolEvent};

impl Model {
    /// Puts another tool in hand.
    pub fn select_tool(&mut self, id: &str) {
        let Some(spec) = tools::find(id) else { return };
        if spec.id == self.tool.spec().id {
            return;
        }
        self.tool_event(&ToolEvent::Deactivate);
        self.draft = None;
        self.tool = (spec.create)();
        self.tool_event(&ToolEvent::Activate);
    }

    /// Moves the tool's state machine and performs what it answers.
    pub fn tool_event(&mut self, event: &ToolEvent) {
        let Some(tab) = self.tabs.get(self.active) else { return };
        // Built by hand: the tool itself is borrowed mutably beside it.
        let Some(params) = self.tool_params.get(self.tool.spec().id) else { return };
        let context = tools::ToolContext {
            document: tab.document(),
            params,
            foreground: self.foreground,
            background: self.background,
            target: self.target,
            zoom: self.viewport.map_or(tab.view.zoom, |viewport| tab.view.scale(&viewport)),
        };
        let commands = self.tool.handle(event, &context);
        for command in commands {
            if let Err(err) = self.tool_command(command) {
                if let Some(tab) = self.tab_mut() {
                    tab.session.abort();
                }
                self.notices.warn(err.to_string());
                if *event != ToolEvent::Cancel {
                    self.tool_event(&ToolEvent::Cancel);
                }
                return;
            }
        }
    }

    fn tool_command(&mut self, command: ToolCommand) -> Result<(), SessionError> {
        match command {
            ToolCommand::PickColor { color, swatch: Swatch::Foreground } => self.foreground = color,
            ToolCommand::PickColor { color, swatch: Swatch::Background } => self.background = color,
            ToolCommand::Notice(text) => self.notices.info(text),
            ToolCommand::Compute(work) => {
                let engine = Arc::clone(&self.engine);
                self.step(work.label, move |document| (work.make)(document, &*engine));
            }
            ToolCommand::Remove(mask) => self.run_effect_on(Card::Remove, Some(mask)),
            ToolCommand::SetParam { key, value } => {
                let spec = self.tool.spec();
                if let Some(params) = self.tool_params.get_mut(spec.id) {
                    // A refused value leaves the last good one.
                    let _ = params.set(spec.params, key, value);
                }
            }
            other => {
                let viewport = self.viewport;
                let Some(tab) = self.tab_mut() else { return Ok(()) };
                return tab.perform(other, viewport);
            }
        }
        Ok(())
    }
}

impl Tab {
    fn perform(
        &mut self,
        command: ToolCommand,
        viewport: Option<crate::app::view::Viewport>,
    ) -> Result<(), SessionError> {
        match command {
            ToolCommand::Begin(label) => {
                if self.session.in_progress().is_some() {
                    self.session.commit();
                }
                self.session.begin(&label)?;
            }
            ToolCommand::Edit(edit) => {
                self.session.edit(edit)?;
            }
            ToolCommand::Commit => {
                self.session.commit();
            }
            ToolCommand::Abort => {
                self.session.abort();
            }
            ToolCommand::Pan { dx, dy } => {
                if let Some(viewport) = viewport {
                    let scale = self.view.scale(&viewport);
                    self.view.pan(&viewport, eframe::egui::vec2(dx, dy) * scale);
                }
            }
            ToolCommand::ZoomBy { about, factor } => self.view.zoom_about(about, factor),
            ToolCommand::ZoomStep { about, steps } => self.view.step_about(about, steps),
            // The model's own, handled there.
            ToolCommand::PickColor { .. }
            | ToolCommand::Notice(_)
            | ToolCommand::Compute(_)
            | ToolCommand::Remove(_)
            | ToolCommand::SetParam { .. } => {}
        }
        Ok(())
    }
}
