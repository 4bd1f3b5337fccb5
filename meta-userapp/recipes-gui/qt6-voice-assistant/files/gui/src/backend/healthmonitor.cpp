#include "backend/healthmonitor.h"

#include "backend/fault.h"

#include <QJsonObject>

using namespace std::chrono_literals;

namespace {

// A backend that hangs just after an answer is noticed after Interval + Doubt + Life = 1.75 s.
constexpr auto Interval = 750ms;
constexpr auto Doubt = 400ms;
constexpr auto Life = 600ms;
/// The backend gives its own proof up after 10 s, and says so.
constexpr auto Patience = 15s;

} // namespace

HealthMonitor::HealthMonitor(RestClient *rest, QObject *parent)
    : QObject(parent)
    , m_rest(rest)
{
    m_tick.setInterval(Interval);
    m_tick.setTimerType(Qt::PreciseTimer);
    connect(&m_tick, &QTimer::timeout, this, &HealthMonitor::check);
    m_doubt.setSingleShot(true);
    m_doubt.setTimerType(Qt::PreciseTimer);
    m_doubt.setInterval(Doubt);
    connect(&m_doubt, &QTimer::timeout, this, &HealthMonitor::askWhetherAlive);
}

void HealthMonitor::start()
{
    giveUp();
    m_tick.start();
    check();
}

void HealthMonitor::stop()
{
    m_tick.stop();
    giveUp();
}

void HealthMonitor::check()
{
    if (m_health != nullptr) {
        askWhetherAlive();
        return;
    }
    m_doubt.start();
    m_health = m_rest->get(QStringLiteral("/health"), Patience,
                           [this](const RestClient::Reply &reply) { onHealth(reply); });
}

void HealthMonitor::askWhetherAlive()
{
    if (m_alive == nullptr)
        m_alive = m_rest->get(QStringLiteral("/"), Life,
                              [this](const RestClient::Reply &reply) { onAlive(reply); });
}

void HealthMonitor::onHealth(const RestClient::Reply &reply)
{
    giveUp();
    const QString status = reply.body.value(QLatin1String("status")).toString();
    const QString reason = reply.body.value(QLatin1String("reason")).toString();
    if (reply.fault.isNone() && status == QLatin1String("healthy"))
        emit checked(Health::Healthy, {});
    else if (reply.status == 0)
        emit checked(reply.fault.isTimeOut ? Health::Unhealthy : Health::Gone, reply.fault.error);
    else if (reason == QLatin1String("loading model"))
        emit checked(Health::Loading, tr("The assistant is loading its speech model."));
    else if (status == QLatin1String("unhealthy"))
        emit checked(Health::Unhealthy, reason.isEmpty()
                                            ? tr("The assistant is not well, and does not say why.")
                                            : asSentence(reason));
    else
        emit checked(Health::Unhealthy, Fault::notTheBackend().error);
}

void HealthMonitor::onAlive(const RestClient::Reply &reply)
{
    m_alive = nullptr;
    if (reply.status != 0)
        return; // alive, and its health is still to come
    giveUp();
    emit checked(Health::Gone, reply.fault.error);
}

void HealthMonitor::giveUp()
{
    m_doubt.stop();
    m_rest->drop(m_health);
    m_rest->drop(m_alive);
    m_health = nullptr;
    m_alive = nullptr;
}
