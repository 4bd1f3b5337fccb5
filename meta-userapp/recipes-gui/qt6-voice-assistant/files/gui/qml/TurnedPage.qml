import QtQuick

/// What the window shows, turned clockwise and mirrored where the language reads from right to left.
///
/// Turned here, and not by the platform: neither eglfs nor vnc can turn Qt Quick's picture, and where the scene is
/// turned, a finger meets what it points at without any calibration of the touch screen.
Item {
    id: page

    /// Degrees, a multiple of 90; "auto": so that the page is wider than high.
    required property string turned

    readonly property int degrees: {
        if (turned === "auto")
            return parent.width < parent.height ? 90 : 0;
        return Number(turned) % 90 === 0 ? Number(turned) : 0;
    }
    readonly property bool sideways: degrees % 180 !== 0
    /// The least size of the window.
    readonly property size minimumSize: sideways ? Qt.size(384, 640) : Qt.size(640, 384)

    anchors.centerIn: parent
    width: sideways ? parent.height : parent.width
    height: sideways ? parent.width : parent.height
    rotation: degrees
    LayoutMirroring.enabled: Application.layoutDirection === Qt.RightToLeft
    LayoutMirroring.childrenInherit: true
}
