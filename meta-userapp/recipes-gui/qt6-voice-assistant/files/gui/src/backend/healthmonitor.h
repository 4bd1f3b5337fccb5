#pragma once

#include "backend/restclient.h"

#include <QObject>
#include <QString>
#include <QTimer>

/// Asks GET /health over and over whether the backend is well, and notices within 2 s when it is dead or
/// hangs.
///
/// A backend that proves its health with an inference may be slow to answer while it works. So after a short
/// wait GET / is asked too, which every living backend answers at once: slow is not dead.
class HealthMonitor : public QObject
{
    Q_OBJECT

public:
    enum class Health {
        Unknown, ///< not asked yet
        Healthy,
        Loading, ///< answers, and loads its model
        Unhealthy, ///< answers, and says what is wrong
        Gone ///< does not answer
    };
    Q_ENUM(Health)

    /// The client is only asked through; it must outlive this.
    explicit HealthMonitor(RestClient *rest, QObject *parent = nullptr);

    /// Ask now and from now on.
    void start();
    void stop();
    /// Ask now, without waiting for the next time.
    void check();

signals:
    /// After every answer, and whenever none came. The reason is a sentence for the driver; empty when
    /// healthy.
    void checked(HealthMonitor::Health health, const QString &reason);

private:
    void askWhetherAlive();
    void onHealth(const RestClient::Reply &reply);
    void onAlive(const RestClient::Reply &reply);
    void giveUp();

    RestClient *m_rest;
    QTimer m_tick;
    QTimer m_doubt;
    RestClient::Request m_health;
    RestClient::Request m_alive;
};
