import QtQuick
import QtQuick.Shapes

/// A line drawing.
Shape {
    id: icon

    /// One of `paths`.
    property string name
    property color color
    property real size: 24
    /// Whether it points in the direction of reading; then it is mirrored where that is from right to left.
    property bool directional: false

    /// SVG paths, each in a box of 24 x 24.
    readonly property var paths: ({
        "arrow": "M4 12 H20 M14 6 L20 12 L14 18",
        "back": "M15 5 L8 12 L15 19",
        "backspace": "M9 6 H21 V18 H9 L3 12 Z M11.5 9.5 L16.5 14.5 M16.5 9.5 L11.5 14.5",
        "check": "M5 12.5 L10 17.5 L19 7.5",
        "climate": "M10 14 V5 A2 2 0 0 1 14 5 V14 A4.5 4.5 0 1 1 10 14 M12 9 V17 M17.5 5 H20.5 M17.5 9 H20.5",
        "cross": "M12 3 A9 9 0 0 1 12 21 A9 9 0 0 1 12 3 M9 9 L15 15 M15 9 L9 15",
        "drive": "M12 3 A9 9 0 0 1 12 21 A9 9 0 0 1 12 3 M12 9.5 A2.5 2.5 0 0 1 12 14.5 A2.5 2.5 0 0 1 12 9.5"
            + " M3.5 10.5 L9.6 11.5 M20.5 10.5 L14.4 11.5 M12 14.5 V21",
        "forward": "M9 5 L16 12 L9 19",
        "hourglass": "M7 4 H17 M7 20 H17 M8 4 V7.5 L12 12 L16 7.5 V4 M8 20 V16.5 L12 12 L16 16.5 V20",
        "light": "M11 5 A8 7 0 0 0 11 19 Z M14.5 7 L20.5 5.5 M14.5 12 H21 M14.5 17 L20.5 18.5",
        "lock": "M5.5 11 H18.5 V20.5 H5.5 Z M8.5 11 V7.5 A3.5 3.5 0 0 1 15.5 7.5 V11 M12 14.5 V17",
        "media": "M9 17.5 V5 L19 3.5 V15.5 M9 17.5 A2.5 2.5 0 1 1 9 17.4 M19 15.5 A2.5 2.5 0 1 1 19 15.4",
        "microphone": "M12 3 A3 3 0 0 1 15 6 V11 A3 3 0 0 1 9 11 V6 A3 3 0 0 1 12 3 Z"
            + " M5.5 11 A6.5 6.5 0 0 0 18.5 11 M12 17.5 V21 M8.5 21 H15.5",
        "microphone-off": "M15 9.5 V6 A3 3 0 0 0 9.3 4.7 M9 9 V11 A3 3 0 0 0 13.5 13.6 M5.5 11 A6.5 6.5 0 0 0 15.8 16.3"
            + " M18.5 11 A6.5 6.5 0 0 1 18 13.5 M12 17.5 V21 M8.5 21 H15.5 M4 3.5 L20 19.5",
        "mirror": "M4 6.5 H17 A3 3 0 0 1 20 9.5 V13 A4 4 0 0 1 16 17 H8 A4 4 0 0 1 4 13 Z M10 17 V20.5 H14 M8 13 L11.5 9.5",
        "navigation": "M12 3 L19.5 20.5 L12 16.5 L4.5 20.5 Z",
        "phone": "M6 3.5 L9.5 3.5 L11 8 L8.8 9.8 A11 11 0 0 0 14.2 15.2 L16 13 L20.5 14.5 V18"
            + " A2.5 2.5 0 0 1 18 20.5 A14.5 14.5 0 0 1 3.5 6 A2.5 2.5 0 0 1 6 3.5 Z",
        "question": "M4 4 H20 V17 H12 L7.5 21 V17 H4 Z M9.5 8.5 A2.5 2.5 0 1 1 12 11 V12 M12 14.2 V14.3",
        "ready": "M12 3 A9 9 0 0 1 12 21 A9 9 0 0 1 12 3 M8 12.3 L11 15.3 L16 9.3",
        "seat": "M7 3.5 L9 13.5 H16.5 A2.5 2.5 0 0 1 16.5 18.5 H8.5 A2.5 2.5 0 0 1 6 16.5 L4 4.5 A1.6 1.6 0 0 1 7 3.5 Z"
            + " M9.5 18.5 V21 M15.5 18.5 V21",
        "settings": "M4 7 H12.5 M17.5 7 H20 M15 4.5 A2.5 2.5 0 0 1 15 9.5 A2.5 2.5 0 0 1 15 4.5"
            + " M4 17 H6.5 M11.5 17 H20 M9 14.5 A2.5 2.5 0 0 1 9 19.5 A2.5 2.5 0 0 1 9 14.5",
        "shift": "M12 4 L4.5 12 H8.5 V19 H15.5 V12 H19.5 Z",
        "sound": "M4 10.5 V13.5 M8 7 V17 M12 3.5 V20.5 M16 7 V17 M20 10.5 V13.5",
        "undo": "M8 5 L4 9 L8 13 M4 9 H14 A5.5 5.5 0 0 1 14 20 H9",
        "warning": "M12 4 L21.5 20 H2.5 Z M12 10 V14.5 M12 17 V17.2",
        "window": "M3.5 17 V13 L10 5.5 H20.5 V17 Z M3.5 13 H20.5 M12 8 V13",
        "wiper": "M2.5 13.5 A13 13 0 0 1 21.5 13.5 L18 17.5 A8.5 8.5 0 0 0 6 17.5 Z M12 19.5 L16.5 10.5"
    })

    readonly property string path: paths[name] ?? ""
    readonly property bool mirrored: directional && LayoutMirroring.enabled

    implicitWidth: size
    implicitHeight: size
    width: size
    height: size
    // A graphics processor draws edges smoothly only with several samples a pixel; the software renderer always does.
    layer.enabled: GraphicsInfo.api !== GraphicsInfo.Software
    layer.samples: 4
    // In double size. The linter does not know that Qt.size() fits, too.
    layer.textureSize: Qt.size(2 * width, 2 * height) // qmllint disable
    layer.smooth: true
    transform: Scale {
        origin.x: icon.width / 2
        xScale: icon.mirrored ? -1 : 1
    }

    ShapePath {
        scale: Qt.size(icon.width / 24, icon.height / 24)
        strokeWidth: icon.width / 12
        strokeColor: icon.color
        fillColor: "transparent"
        capStyle: ShapePath.RoundCap
        joinStyle: ShapePath.RoundJoin

        PathSvg {
            path: icon.path
        }
    }
}
