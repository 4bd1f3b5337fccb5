#pragma once

#include <QObject>

/// SIGTERM and SIGINT end the program as closing its window does, so that what waits to be stored is stored.
///
/// One at a time, as signals belong to the process.
class QuitSignals : public QObject
{
    Q_OBJECT

public:
    explicit QuitSignals(QObject *parent = nullptr);
    ~QuitSignals() override;

private:
    int m_reader = -1;
    int m_writer = -1;
};
