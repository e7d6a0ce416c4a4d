"""The house as one heat store behind one wall, heated by a modulating heat pump.

C dT/dt = P + gains - (T - outdoor) * UA. At full power and 10 to 15 °C difference the
air gains 1 °C in 20 to 25 minutes; unheated it closes on the outdoor temperature with
a time constant of about 29 hours (faster with windows open).

Source: first-order RC model, e.g. P. Bacher and H. Madsen, "Identifying suitable models
for the heat dynamics of buildings", Energy and Buildings 43 (2011).
"""

from __future__ import annotations

CAPACITY_KWH_PER_K = 4.2
UA_KW_PER_K, WINDOW_KW_PER_K = 0.145, 0.13
POWER_KW, GAIN_KW = 13.2, 0.35
#: Full power at this far below the target; less as it comes close.
_BAND_K = 0.4
_STEP_S = 60.0


def heat_kw(indoor_c: float, target_c: float) -> float:
    """Heating power that the thermostat asks for."""
    return min(POWER_KW, max(0.0, (target_c - indoor_c) / _BAND_K * POWER_KW))


def advance(
    indoor_c: float,
    outdoor_c: float,
    target_c: float | None,
    windows_open: int,
    duration_s: float,
) -> float:
    """Indoor temperature in °C after `duration_s`.

    Args:
        indoor_c: now.
        outdoor_c: meanwhile.
        target_c: the thermostat's target, None when the heating is off.
        windows_open: how many windows stand open.
        duration_s: how long.
    """
    loss = UA_KW_PER_K + WINDOW_KW_PER_K * windows_open
    left = duration_s
    while left > 0.0:
        step = min(_STEP_S, left)
        power = GAIN_KW if target_c is None else GAIN_KW + heat_kw(indoor_c, target_c)
        flow_kw = power - loss * (indoor_c - outdoor_c)
        indoor_c += flow_kw / CAPACITY_KWH_PER_K * step / 3600.0
        left -= step
    return indoor_c
