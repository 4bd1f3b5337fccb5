#include "systemversion.h"

#include <QSettings>

QString systemVersion(const QString &osRelease)
{
    const QSettings release(osRelease, QSettings::IniFormat);
    const auto field = [&release](const char *name) { return release.value(QLatin1String(name)).toString(); };
    const QString version = field("IMAGE_VERSION");
    if (version.isEmpty())
        return {};
    return QStringLiteral("%1 (%2)").arg(version, field("BUILD_ID"));
}
