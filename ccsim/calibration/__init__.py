"""History into the numbers of a scenario: importers, fits, and the files they ship as."""

from ccsim.calibration.bank import (
    ACKNOWLEDGEMENT,
    BankCalibration,
    ContactTypeCalibration,
    CountsCalibration,
    calibrate_bank,
    calibrate_counts,
)
from ccsim.calibration.calls import Cleaning, contact_type_weights, read_calls
from ccsim.calibration.counts import CountsRead, read_counts, sum_to
from ccsim.calibration.demand_fits import (
    DayFactor,
    forecast_error,
    talk_day_factor,
    trailing_forecast,
    unusual_days,
    unusual_intervals,
    weekday_profile,
)
from ccsim.calibration.fits import (
    CellPatience,
    Patience,
    Redial,
    TalkTime,
    patience_from_cells,
    patience_kaplan_meier,
    redial_share,
    talk_time_fit,
)
from ccsim.calibration.write import counts_figures, write_bank, write_counts

__all__ = [
    "ACKNOWLEDGEMENT",
    "BankCalibration",
    "CellPatience",
    "Cleaning",
    "ContactTypeCalibration",
    "CountsCalibration",
    "CountsRead",
    "DayFactor",
    "Patience",
    "Redial",
    "TalkTime",
    "calibrate_bank",
    "calibrate_counts",
    "contact_type_weights",
    "counts_figures",
    "forecast_error",
    "patience_from_cells",
    "patience_kaplan_meier",
    "read_calls",
    "read_counts",
    "redial_share",
    "sum_to",
    "talk_day_factor",
    "talk_time_fit",
    "trailing_forecast",
    "unusual_days",
    "unusual_intervals",
    "weekday_profile",
    "write_bank",
    "write_counts",
]
