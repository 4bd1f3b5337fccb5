pragma Singleton

import QtQuick

/// Colours and sizes. Every text has a contrast of 7:1 or more against each surface that it stands on.
///
/// Sizes follow the window's height, so that a screen of seven inches shows the same at any resolution. MainWindow sets
/// `night` and `height`; everything else reads.
QtObject {
    property bool night: true
    /// Of the window, in pixels.
    property real height: 480

    // ---- Surfaces
    readonly property color background: night ? "#0A0D10" : "#F2F4F6"
    readonly property color surface: night ? "#171C22" : "#FFFFFF"
    readonly property color surfacePressed: night ? "#222932" : "#E3E8EC"
    readonly property color outline: night ? "#5C6875" : "#77838F"

    // ---- What stands on them
    readonly property color text: night ? "#F3F6F8" : "#0C1217"
    readonly property color textDim: night ? "#AEB8C2" : "#3B464F"
    readonly property color accent: night ? "#62D5E4" : "#004E5A"
    readonly property color alert: night ? "#FFB74D" : "#7A2E00"
    readonly property color question: night ? "#C9BCFF" : "#43248F"

    // ---- What stands on the accent and on the alert
    readonly property color textOnAccent: night ? "#06181C" : "#FFFFFF"
    readonly property color textOnAlert: night ? "#1C1200" : "#FFFFFF"

    /// 12 mm and more on seven inches: 67 px of 480, 100 px of 720.
    readonly property int touchTarget: px(67)
    readonly property int spacing: px(12)
    readonly property int margin: px(20)
    readonly property int radius: px(14)
    readonly property int line: Math.max(1, px(2))

    readonly property int fontHuge: px(38)
    readonly property int fontLarge: px(26)
    readonly property int fontMedium: px(23)
    readonly property int fontSmall: px(20)

    /// Pixels here for pixels of a screen with 480 lines.
    function px(lines: real): int {
        return Math.round(lines * height / 480);
    }
}
