import QtQuick
import QtQuick.Templates as T

/// Finds what a driver would complain about: texts that are cut or lie on each other, and small buttons.
QtObject {
    /// Texts of users and devices may be cut; ours may not.
    readonly property var foreign: ["text", "value"]

    function walk(item: Item, visit: var) {
        if (!item.visible)
            return;
        visit(item);
        for (let i = 0; i < item.children.length; ++i)
            walk(item.children[i], visit);
    }
    function find(root: Item, name: string): Item {
        if (root.objectName === name)
            return root;
        for (let i = 0; i < root.children.length; ++i) {
            const found = find(root.children[i], name);
            if (found)
                return found;
        }
        return null;
    }
    function texts(root: Item): var {
        const found = [];
        walk(root, item => {
            if (item instanceof Text && item.text !== "" && item.width > 0 && !isScrolledAway(item))
                found.push(item);
        });
        return found;
    }
    /// What a finger can do something with.
    function targets(root: Item): var {
        const found = [];
        walk(root, item => {
            if ((item instanceof T.AbstractButton && item.enabled) || item.objectName === "touch")
                found.push(item);
        });
        return found;
    }
    function isScrolledAway(item: Item): bool {
        for (let parent = item.parent; parent; parent = parent.parent) {
            const place = item.mapToItem(parent, 0, 0, item.width, item.height);
            if (parent.clip && (place.y < 0 || place.y + place.height > parent.height))
                return true;
        }
        return false;
    }
    function painted(text: Text, root: Item): rect {
        const place = text.mapToItem(root, 0, 0, text.width, text.height);
        const freeWidth = place.width - text.contentWidth;
        let left = 0;
        if (text.effectiveHorizontalAlignment === Text.AlignHCenter)
            left = freeWidth / 2;
        else if (text.effectiveHorizontalAlignment === Text.AlignRight)
            left = freeWidth;
        const top = text.verticalAlignment === Text.AlignVCenter ? (place.height - text.contentHeight) / 2 : 0;
        return Qt.rect(place.x + left, place.y + top, text.contentWidth, text.contentHeight);
    }
    function overlap(a: rect, b: rect): bool {
        const beside = (start, length, other, otherLength) => start + length <= other + 1 || other + otherLength <= start + 1;
        return !beside(a.x, a.width, b.x, b.width) && !beside(a.y, a.height, b.y, b.height);
    }

    /// Sentences about what is wrong below `root`.
    function complaints(root: Item, touchTarget: int): var {
        const wrong = [];
        const seen = texts(root);
        const places = seen.map(text => painted(text, root));
        seen.forEach((text, i) => {
            const place = places[i];
            if (text.truncated && foreign.indexOf(text.objectName) < 0)
                wrong.push(`"${text.text}" is cut`);
            const right = place.x + place.width;
            const bottom = place.y + place.height;
            if (place.x < 0 || place.y < 0 || right > root.width + 1 || bottom > root.height + 1)
                wrong.push(`"${text.text}" is outside`);
            for (let j = 0; j < i; ++j) {
                if (overlap(place, places[j]))
                    wrong.push(`"${text.text}" lies on "${seen[j].text}"`);
            }
        });
        for (const target of targets(root)) {
            if (target.width < touchTarget || target.height < touchTarget)
                wrong.push(`${target} ${target.objectName} has ${target.width} x ${target.height}`);
        }
        return wrong;
    }
}
