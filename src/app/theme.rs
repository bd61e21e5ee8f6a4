//! The look: one palette for dark and light, one accent, a 4-point grid.

use eframe::egui;
use egui::style::ScrollStyle;
use egui::{Color32, CornerRadius, FontFamily, FontId, Margin, Shadow, Stroke, TextStyle, vec2};

use super::prefs::{Look, Prefs};

/// Colours that are not part of egui's own style.
#[derive(Clone, Copy, Debug)]
pub struct Palette {
    pub panel: Color32,
    pub bar: Color32,
    pub raised: Color32,
    pub hover: Color32,
    pub well: Color32,
    pub border: Color32,
    pub text: Color32,
    pub weak: Color32,
    pub strong: Color32,
    pub accent: Color32,
    pub accent_soft: Color32,
    pub on_accent: Color32,
    pub warning: Color32,
    pub error: Color32,
}

const DARK: Palette = Palette {
    panel: Color32::from_rgb(0x27, 0x29, 0x2d),
    bar: Color32::from_rgb(0x1f, 0x21, 0x24),
    raised: Color32::from_rgb(0x34, 0x37, 0x3c),
    hover: Color32::from_rgb(0x3f, 0x43, 0x49),
    well: Color32::from_rgb(0x1a, 0x1c, 0x1f),
    border: Color32::from_rgb(0x3a, 0x3d, 0x43),
    text: Color32::from_rgb(0xd3, 0xd6, 0xdb),
    weak: Color32::from_rgb(0x95, 0x9a, 0xa3),
    strong: Color32::from_rgb(0xf4, 0xf5, 0xf7),
    accent: Color32::from_rgb(0x4d, 0x9f, 0xff),
    accent_soft: Color32::from_rgb(0x27, 0x43, 0x66),
    on_accent: Color32::from_rgb(0x06, 0x14, 0x26),
    warning: Color32::from_rgb(0xf0, 0xb4, 0x4c),
    error: Color32::from_rgb(0xff, 0x6b, 0x62),
};

const LIGHT: Palette = Palette {
    panel: Color32::from_rgb(0xf1, 0xf2, 0xf4),
    bar: Color32::from_rgb(0xe4, 0xe6, 0xe9),
    raised: Color32::from_rgb(0xdc, 0xdf, 0xe4),
    hover: Color32::from_rgb(0xcd, 0xd2, 0xd9),
    well: Color32::from_rgb(0xfc, 0xfc, 0xfd),
    border: Color32::from_rgb(0xca, 0xce, 0xd4),
    text: Color32::from_rgb(0x2a, 0x2d, 0x33),
    weak: Color32::from_rgb(0x67, 0x6d, 0x77),
    strong: Color32::from_rgb(0x0b, 0x0d, 0x10),
    accent: Color32::from_rgb(0x15, 0x69, 0xd6),
    accent_soft: Color32::from_rgb(0xc4, 0xdb, 0xf8),
    on_accent: Color32::WHITE,
    warning: Color32::from_rgb(0x9a, 0x62, 0x00),
    error: Color32::from_rgb(0xc2, 0x24, 0x1c),
};

/// The palette in force.
pub fn palette(ui: &egui::Ui) -> Palette {
    palette_of(ui.visuals())
}

pub const fn palette_of(visuals: &egui::Visuals) -> Palette {
    if visuals.dark_mode { DARK } else { LIGHT }
}

/// The grey around the picture.
pub fn surround(prefs: &Prefs) -> Color32 {
    grey(prefs.surround.0)
}

/// The grey of a CIE lightness, `0..=100`.
pub fn grey(lightness: u8) -> Color32 {
    let lightness = f32::from(lightness);
    let linear =
        if lightness > 8.0 { ((lightness + 16.0) / 116.0).powi(3) } else { lightness / 903.3 };
    let encoded = crate::color::Transfer::SRGB.encode(linear);
    Color32::from_gray((encoded * 255.0).round() as u8)
}

/// Height of one row of controls.
pub const ROW: f32 = 24.0;

/// Puts the style in force; called when preferences change.
pub fn apply(ctx: &egui::Context, prefs: &Prefs) {
    let (theme, palette) = match prefs.look {
        Look::Dark => (egui::Theme::Dark, DARK),
        Look::Light => (egui::Theme::Light, LIGHT),
    };
    ctx.set_theme(theme);
    ctx.set_zoom_factor(prefs.ui_scale);
    ctx.options_mut(|options| options.zoom_with_keyboard = false);
    let reduced_motion = prefs.reduced_motion;
    ctx.style_mut_of(theme, |style| {
        if reduced_motion {
            style.animation_time = 0.0;
        }
        text_styles(style);
        spacing(style);
        visuals(&mut style.visuals, &palette);
    });
}

fn text_styles(style: &mut egui::Style) {
    let proportional = |size| FontId::new(size, FontFamily::Proportional);
    style.text_styles = [
        (TextStyle::Heading, proportional(16.0)),
        (TextStyle::Body, proportional(13.0)),
        (TextStyle::Button, proportional(13.0)),
        (TextStyle::Small, proportional(11.0)),
        (TextStyle::Monospace, FontId::new(12.0, FontFamily::Monospace)),
    ]
    .into();
}

fn spacing(style: &mut egui::Style) {
    let spacing = &mut style.spacing;
    spacing.item_spacing = vec2(8.0, 4.0);
    spacing.button_padding = vec2(8.0, 3.0);
    spacing.interact_size = vec2(32.0, ROW);
    spacing.window_margin = Margin::same(16);
    spacing.menu_margin = Margin::same(6);
    spacing.indent = 12.0;
    spacing.slider_width = 120.0;
    spacing.slider_rail_height = 4.0;
    spacing.combo_width = 96.0;
    spacing.combo_height = 520.0;
    spacing.icon_width = 16.0;
    spacing.icon_width_inner = 9.0;
    spacing.icon_spacing = 6.0;
    spacing.menu_width = 240.0;
    spacing.tooltip_width = 320.0;
    spacing.scroll = ScrollStyle::thin();
    style.interaction.tooltip_delay = 0.5;
}

fn visuals(visuals: &mut egui::Visuals, palette: &Palette) {
    let radius = CornerRadius::same(4);
    visuals.panel_fill = palette.panel;
    visuals.window_fill = palette.panel;
    visuals.window_stroke = Stroke::new(1.0, palette.border);
    visuals.window_corner_radius = CornerRadius::same(8);
    visuals.menu_corner_radius = CornerRadius::same(6);
    visuals.extreme_bg_color = palette.well;
    visuals.faint_bg_color = palette.bar;
    visuals.code_bg_color = palette.well;
    visuals.weak_text_color = Some(palette.weak);
    visuals.hyperlink_color = palette.accent;
    visuals.warn_fg_color = palette.warning;
    visuals.error_fg_color = palette.error;
    visuals.slider_trailing_fill = true;
    visuals.handle_shape = egui::style::HandleShape::Circle;
    visuals.striped = false;
    visuals.indent_has_left_vline = false;
    visuals.window_shadow =
        Shadow { offset: [0, 8], blur: 24, spread: 0, color: Color32::from_black_alpha(110) };
    visuals.popup_shadow =
        Shadow { offset: [0, 4], blur: 12, spread: 0, color: Color32::from_black_alpha(90) };
    visuals.selection.bg_fill = palette.accent_soft;
    visuals.selection.stroke = Stroke::new(1.0, palette.strong);
    let states = [
        (&mut visuals.widgets.noninteractive, palette.panel, palette.border, palette.text),
        (&mut visuals.widgets.inactive, palette.raised, Color32::TRANSPARENT, palette.text),
        (&mut visuals.widgets.hovered, palette.hover, palette.border, palette.strong),
        (&mut visuals.widgets.active, palette.hover, palette.accent, palette.strong),
        (&mut visuals.widgets.open, palette.hover, palette.border, palette.strong),
    ];
    for (state, fill, border, text) in states {
        state.bg_fill = fill;
        state.weak_bg_fill = fill;
        state.bg_stroke = Stroke::new(1.0, border);
        state.fg_stroke = Stroke::new(1.2, text);
        state.corner_radius = radius;
        state.expansion = 0.0;
    }
    visuals.widgets.noninteractive.fg_stroke = Stroke::new(1.0, palette.text);
}
