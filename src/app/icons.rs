//! Icons, drawn by the painter from a few strokes on a 24-unit grid: crisp at every scale and in
//! the colour of the text beside them.

use eframe::egui;
use egui::{Color32, Painter, Pos2, Rect, Stroke};

#[derive(Clone, Copy, Debug)]
enum Mark {
    Line(&'static [(f32, f32)]),
    Loop(&'static [(f32, f32)]),
    Fill(&'static [(f32, f32)]),
    Circle(f32, f32, f32),
    Disc(f32, f32, f32),
    Dashes(&'static [(f32, f32)]),
}

use Mark::{Circle, Dashes, Disc, Fill, Line, Loop};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    Hand,
    Zoom,
    Move,
    Marquee,
    Ellipse,
    Lasso,
    Crop,
    Eyedropper,
    Brush,
    Eraser,
    Remove,
    Eye,
    EyeOff,
    Lock,
    Unlock,
    Mask,
    Adjust,
    Group,
    New,
    Duplicate,
    Trash,
    Close,
    Swap,
    Reset,
    Dice,
    Sparkle,
    Dials,
    Previous,
    Next,
    Picture,
    Info,
    Warning,
    Wrench,
    Folded,
    Unfolded,
}

impl Icon {
    /// The icon of a tool, by its id.
    pub fn of_tool(id: &str) -> Self {
        match id {
            "hand" => Self::Hand,
            "zoom" => Self::Zoom,
            "move" => Self::Move,
            "marquee_rectangle" => Self::Marquee,
            "marquee_ellipse" => Self::Ellipse,
            "lasso" => Self::Lasso,
            "crop" => Self::Crop,
            "eyedropper" => Self::Eyedropper,
            "brush" => Self::Brush,
            "eraser" => Self::Eraser,
            "remove" => Self::Remove,
            _ => Self::Wrench,
        }
    }

    const fn marks(self) -> &'static [Mark] {
        match self {
            Self::Hand => &[
                Line(&[(8.0, 13.0), (8.0, 6.5), (9.0, 5.5), (10.0, 6.5), (10.0, 11.0)]),
                Line(&[(10.0, 11.0), (10.0, 4.5), (11.0, 3.5), (12.0, 4.5), (12.0, 11.0)]),
                Line(&[(12.0, 11.0), (12.0, 5.0), (13.0, 4.0), (14.0, 5.0), (14.0, 11.5)]),
                Line(&[
                    (14.0, 11.5),
                    (14.0, 7.0),
                    (15.0, 6.0),
                    (16.5, 7.0),
                    (16.5, 14.5),
                    (15.0, 19.0),
                    (12.0, 20.5),
                    (9.5, 20.0),
                    (4.5, 13.5),
                    (5.0, 12.0),
                    (6.2, 12.0),
                    (8.0, 14.0),
                ]),
            ],
            Self::Zoom => &[
                Circle(10.5, 10.5, 5.5),
                Line(&[(14.6, 14.6), (20.0, 20.0)]),
                Line(&[(8.0, 10.5), (13.0, 10.5)]),
                Line(&[(10.5, 8.0), (10.5, 13.0)]),
            ],
            Self::Move => &[
                Line(&[(12.0, 3.5), (12.0, 20.5)]),
                Line(&[(3.5, 12.0), (20.5, 12.0)]),
                Line(&[(9.5, 6.0), (12.0, 3.5), (14.5, 6.0)]),
                Line(&[(9.5, 18.0), (12.0, 20.5), (14.5, 18.0)]),
                Line(&[(6.0, 9.5), (3.5, 12.0), (6.0, 14.5)]),
                Line(&[(18.0, 9.5), (20.5, 12.0), (18.0, 14.5)]),
            ],
            Self::Marquee => {
                &[Dashes(&[(4.0, 6.0), (20.0, 6.0), (20.0, 18.0), (4.0, 18.0), (4.0, 6.0)])]
            }
            Self::Ellipse => &[Dashes(&[
                (20.5, 12.0),
                (19.5, 8.8),
                (16.5, 6.3),
                (12.0, 5.4),
                (7.5, 6.3),
                (4.5, 8.8),
                (3.5, 12.0),
                (4.5, 15.2),
                (7.5, 17.7),
                (12.0, 18.6),
                (16.5, 17.7),
                (19.5, 15.2),
                (20.5, 12.0),
            ])],
            Self::Lasso => &[
                Loop(&[
                    (12.0, 4.5),
                    (17.5, 5.5),
                    (20.5, 9.0),
                    (19.0, 12.5),
                    (14.5, 14.5),
                    (9.0, 14.5),
                    (4.8, 12.3),
                    (3.8, 9.0),
                    (6.5, 5.8),
                ]),
                Line(&[(7.5, 14.3), (6.0, 16.0), (7.0, 17.8), (9.0, 17.3), (9.0, 15.0)]),
                Line(&[(7.4, 17.8), (6.5, 20.5)]),
            ],
            Self::Crop => &[
                Line(&[(7.0, 3.0), (7.0, 17.0), (21.0, 17.0)]),
                Line(&[(3.0, 7.0), (17.0, 7.0), (17.0, 21.0)]),
            ],
            Self::Eyedropper => &[
                Line(&[(13.0, 7.5), (5.0, 15.5), (4.0, 20.0), (8.5, 19.0), (16.5, 11.0)]),
                Line(&[(11.5, 6.0), (18.0, 12.5)]),
                Loop(&[(14.5, 8.5), (17.5, 4.8), (19.5, 5.0), (19.3, 6.8), (16.0, 10.0)]),
            ],
            Self::Brush => &[
                Line(&[(10.0, 13.0), (18.5, 4.5), (19.8, 4.3), (19.5, 5.7), (11.3, 14.3)]),
                Fill(&[
                    (9.6, 13.4),
                    (11.2, 15.0),
                    (10.8, 18.0),
                    (8.5, 19.8),
                    (4.5, 20.0),
                    (6.0, 18.3),
                    (6.4, 15.2),
                ]),
            ],
            Self::Eraser => &[
                Loop(&[(4.0, 14.5), (13.0, 5.5), (19.5, 12.0), (12.5, 19.0), (8.5, 19.0)]),
                Line(&[(8.2, 10.3), (14.7, 16.8)]),
                Line(&[(12.5, 19.0), (20.0, 19.0)]),
            ],
            // An object that is fading: half an outline, half dashes, and a spark.
            Self::Remove => &[
                Dashes(&[(4.0, 8.0), (4.0, 20.0), (16.0, 20.0)]),
                Line(&[(4.0, 8.0), (10.0, 8.0)]),
                Line(&[(16.0, 20.0), (16.0, 14.0)]),
                Line(&[(17.0, 3.0), (17.0, 11.0)]),
                Line(&[(13.0, 7.0), (21.0, 7.0)]),
            ],
            Self::Eye => &[
                Loop(&[
                    (2.8, 12.0),
                    (6.5, 8.0),
                    (12.0, 6.2),
                    (17.5, 8.0),
                    (21.2, 12.0),
                    (17.5, 16.0),
                    (12.0, 17.8),
                    (6.5, 16.0),
                ]),
                Disc(12.0, 12.0, 2.8),
            ],
            Self::EyeOff => {
                &[Line(&[(3.0, 12.5), (6.5, 15.5), (12.0, 17.0), (17.5, 15.5), (21.0, 12.5)])]
            }
            Self::Lock => &[
                Fill(&[(6.0, 11.0), (18.0, 11.0), (18.0, 20.0), (6.0, 20.0)]),
                Line(&[
                    (8.5, 11.0),
                    (8.5, 7.0),
                    (10.0, 4.8),
                    (14.0, 4.8),
                    (15.5, 7.0),
                    (15.5, 11.0),
                ]),
            ],
            Self::Unlock => &[
                Loop(&[(6.0, 11.0), (18.0, 11.0), (18.0, 20.0), (6.0, 20.0)]),
                Line(&[(8.5, 11.0), (8.5, 6.5), (10.0, 4.3), (14.0, 4.3), (15.5, 6.5)]),
            ],
            Self::Mask => &[
                Loop(&[(3.5, 5.5), (20.5, 5.5), (20.5, 18.5), (3.5, 18.5)]),
                Disc(12.0, 12.0, 3.8),
            ],
            Self::Adjust => &[
                Circle(12.0, 12.0, 8.0),
                Fill(&[
                    (12.0, 4.0),
                    (15.5, 4.8),
                    (18.4, 7.2),
                    (19.9, 10.5),
                    (19.9, 13.5),
                    (18.4, 16.8),
                    (15.5, 19.2),
                    (12.0, 20.0),
                ]),
            ],
            Self::Group => &[Loop(&[
                (3.5, 6.5),
                (9.5, 6.5),
                (11.5, 9.0),
                (20.5, 9.0),
                (20.5, 18.5),
                (3.5, 18.5),
            ])],
            Self::New => &[Line(&[(12.0, 5.0), (12.0, 19.0)]), Line(&[(5.0, 12.0), (19.0, 12.0)])],
            Self::Duplicate => &[
                Loop(&[(4.0, 4.0), (15.0, 4.0), (15.0, 15.0), (4.0, 15.0)]),
                Line(&[(18.0, 9.0), (20.0, 9.0), (20.0, 20.0), (9.0, 20.0), (9.0, 18.0)]),
            ],
            Self::Trash => &[
                Line(&[(4.5, 7.0), (19.5, 7.0)]),
                Line(&[(9.5, 7.0), (9.5, 4.5), (14.5, 4.5), (14.5, 7.0)]),
                Line(&[(6.5, 7.0), (7.3, 20.0), (16.7, 20.0), (17.5, 7.0)]),
                Line(&[(10.3, 10.5), (10.3, 16.5)]),
                Line(&[(13.7, 10.5), (13.7, 16.5)]),
            ],
            Self::Close => &[Line(&[(7.0, 7.0), (17.0, 17.0)]), Line(&[(17.0, 7.0), (7.0, 17.0)])],
            Self::Swap => &[
                Line(&[(6.0, 16.0), (6.0, 8.0), (16.0, 8.0)]),
                Line(&[(13.0, 5.0), (16.0, 8.0), (13.0, 11.0)]),
                Line(&[(3.0, 13.0), (6.0, 16.0), (9.0, 13.0)]),
            ],
            Self::Reset => &[
                Line(&[
                    (5.0, 9.0),
                    (14.5, 9.0),
                    (18.0, 10.8),
                    (19.2, 13.8),
                    (18.0, 16.8),
                    (14.5, 18.5),
                    (9.0, 18.5),
                ]),
                Line(&[(8.8, 4.8), (4.8, 9.0), (8.8, 13.2)]),
            ],
            Self::Dice => &[
                Loop(&[(5.0, 5.0), (19.0, 5.0), (19.0, 19.0), (5.0, 19.0)]),
                Disc(8.7, 8.7, 1.4),
                Disc(15.3, 8.7, 1.4),
                Disc(12.0, 12.0, 1.4),
                Disc(8.7, 15.3, 1.4),
                Disc(15.3, 15.3, 1.4),
            ],
            Self::Previous => &[Line(&[(14.5, 6.0), (8.5, 12.0), (14.5, 18.0)])],
            Self::Next => &[Line(&[(9.5, 6.0), (15.5, 12.0), (9.5, 18.0)])],
            Self::Dials => &[
                Line(&[(4.0, 6.0), (20.0, 6.0)]),
                Line(&[(4.0, 12.0), (20.0, 12.0)]),
                Line(&[(4.0, 18.0), (20.0, 18.0)]),
                Line(&[(9.0, 3.5), (9.0, 8.5)]),
                Line(&[(15.5, 9.5), (15.5, 14.5)]),
                Line(&[(7.0, 15.5), (7.0, 20.5)]),
            ],
            Self::Sparkle => &[
                Loop(&[
                    (10.0, 4.0),
                    (11.8, 9.2),
                    (17.0, 11.0),
                    (11.8, 12.8),
                    (10.0, 18.0),
                    (8.2, 12.8),
                    (3.0, 11.0),
                    (8.2, 9.2),
                ]),
                Line(&[(18.0, 15.0), (18.0, 20.0)]),
                Line(&[(15.5, 17.5), (20.5, 17.5)]),
            ],
            Self::Picture => &[
                Loop(&[(3.5, 5.0), (20.5, 5.0), (20.5, 19.0), (3.5, 19.0)]),
                Circle(8.5, 9.5, 1.6),
                Line(&[(3.5, 17.0), (9.0, 12.5), (12.0, 15.0), (16.0, 10.5), (20.5, 15.0)]),
            ],
            Self::Info => &[
                Circle(12.0, 12.0, 8.5),
                Line(&[(12.0, 11.0), (12.0, 16.5)]),
                Disc(12.0, 7.8, 1.1),
            ],
            Self::Warning => &[
                Loop(&[(12.0, 4.0), (21.0, 19.5), (3.0, 19.5)]),
                Line(&[(12.0, 9.5), (12.0, 14.0)]),
                Disc(12.0, 16.8, 1.0),
            ],
            Self::Folded => &[Line(&[(9.0, 6.0), (15.5, 12.0), (9.0, 18.0)])],
            Self::Unfolded => &[Line(&[(6.0, 9.0), (12.0, 15.5), (18.0, 9.0)])],
            Self::Wrench => &[
                Line(&[(5.0, 19.0), (13.0, 11.0)]),
                Line(&[
                    (18.5, 5.5),
                    (15.5, 8.5),
                    (19.0, 10.0),
                    (15.0, 12.5),
                    (12.0, 9.0),
                    (14.0, 5.0),
                    (18.5, 5.5),
                ]),
            ],
        }
    }

    /// Draws the icon into a square in the middle of `rect`.
    pub fn paint(self, painter: &Painter, rect: Rect, color: Color32) {
        let side = rect.width().min(rect.height());
        let scale = side / 24.0;
        let corner = rect.center() - egui::Vec2::splat(side / 2.0);
        let place = |(x, y): (f32, f32)| corner + egui::vec2(x, y) * scale;
        let places =
            |points: &[(f32, f32)]| points.iter().copied().map(place).collect::<Vec<Pos2>>();
        let stroke = Stroke::new((1.6 * scale).max(1.1), color);
        for mark in self.marks() {
            match *mark {
                Line(points) => {
                    painter.line(places(points), stroke);
                }
                Loop(points) => {
                    painter.add(egui::Shape::closed_line(places(points), stroke));
                }
                Fill(points) => {
                    painter.add(egui::Shape::convex_polygon(places(points), color, stroke));
                }
                Circle(x, y, radius) => {
                    painter.circle_stroke(place((x, y)), radius * scale, stroke);
                }
                Disc(x, y, radius) => {
                    painter.circle_filled(place((x, y)), radius * scale, color);
                }
                Dashes(points) => {
                    let (dash, gap) = (3.4 * scale, 2.4 * scale);
                    painter.extend(egui::Shape::dashed_line(&places(points), stroke, dash, gap));
                }
            }
        }
    }
}

/// A square button showing an icon; `label` is its name for assistive technology.
pub fn icon_button(
    ui: &mut egui::Ui,
    icon: Icon,
    label: &str,
    side: f32,
    selected: bool,
    enabled: bool,
) -> egui::Response {
    let sense = if enabled { egui::Sense::click() } else { egui::Sense::hover() };
    let (rect, response) = ui.allocate_exact_size(egui::Vec2::splat(side), sense);
    response
        .widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, enabled, selected, label));
    if ui.is_rect_visible(rect) {
        let palette = super::theme::palette(ui);
        let hovered = enabled && (response.hovered() || response.has_focus());
        let fill = match (selected, hovered) {
            (true, _) => palette.accent_soft,
            (false, true) => palette.hover,
            _ => Color32::TRANSPARENT,
        };
        ui.painter().rect_filled(rect, 4.0, fill);
        if response.has_focus() {
            let stroke = Stroke::new(1.0, palette.accent);
            ui.painter().rect_stroke(rect, 4.0, stroke, egui::StrokeKind::Inside);
        }
        let color = match (enabled, selected, hovered) {
            (false, ..) => palette.weak.gamma_multiply(0.45),
            (_, true, _) => palette.accent,
            (_, _, true) => palette.strong,
            _ => palette.text,
        };
        let inner = Rect::from_center_size(rect.center(), egui::Vec2::splat((side * 0.72).round()));
        icon.paint(ui.painter(), inner, color);
    }
    response
}
