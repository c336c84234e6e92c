"""Facts the warehouse can refuse with."""

from kernel.errors import Conflict, NotFound


class UnknownPickTask(NotFound):
    code = "pick_task_unknown"
    message = "There is no such pick task."


class AlreadyPicked(Conflict):
    code = "already_picked"
    message = "These units have been picked already, or the task is closed."


class UnknownPackage(NotFound):
    code = "package_unknown"
    message = "There is no such package."


class NothingToPack(Conflict):
    code = "package_units_not_there"
    message = "Some of these units are not picked, or are in another package, or have left. Nothing was packed."


class PackageOfOneOrder(Conflict):
    code = "package_of_one_order"
    message = "A package holds units of one order only."


class PackageClosed(Conflict):
    code = "package_closed"
    message = "The package is {status}: that cannot be done with it any more."


class UnknownWarehouse(NotFound):
    code = "warehouse_unknown"
    message = "There is no such place with bins."


class WarehouseExists(Conflict):
    code = "warehouse_exists"
    message = "This place has bins already."


class NotIdle(Conflict):
    code = "warehouse_not_idle"
    message = "Orders were picked there and have not left. Send them first; then the place can get bins."


class UnknownBin(NotFound):
    code = "bin_unknown"
    message = "There is no such bin at this place."


class NoSuchZone(NotFound):
    code = "zone_unknown"
    message = "This place has no zone of that name or kind with a bin in it: {kind}."


class ZoneTaken(Conflict):
    code = "zone_taken"
    message = "There is a zone {zone} already."


class BinTaken(Conflict):
    code = "bin_taken"
    message = "There is a bin {bin} already. None was added."


class BinUnitsNotThere(Conflict):
    code = "bin_units_not_there"
    message = "The bin does not hold so many of these units. Nothing was moved."


class UnknownPutaway(NotFound):
    code = "putaway_unknown"
    message = "There is no such put-away task."


class PutawayClosed(Conflict):
    code = "putaway_closed"
    message = "This put-away task is {status}."


class UnknownReceiving(NotFound):
    code = "receiving_unknown"
    message = "There is no such receiving order."


class ReceivingExists(Conflict):
    code = "receiving_exists"
    message = "Goods {reference} are announced already."


class ReceivingClosed(Conflict):
    code = "receiving_closed"
    message = "The receiving order is closed: announce what else comes."


class UnknownGoods(NotFound):
    code = "goods_unknown"
    message = "Some of these articles are not the merchant's. Nothing was noted."


class UnknownTransfer(NotFound):
    code = "transfer_unknown"
    message = "There is no such transfer."


class TransferNotPossible(Conflict):
    code = "transfer_not_possible"
    message = "Units go from one place of a merchant to another one, out of a bin where the first has bins."


class TransferDone(Conflict):
    code = "transfer_done"
    message = "The transfer has arrived already, or with fewer units."


class UnknownCount(NotFound):
    code = "count_unknown"
    message = "There is no such count."


class NothingCounted(Conflict):
    code = "count_empty"
    message = "There is nothing to count."


class CountIncomplete(Conflict):
    code = "count_incomplete"
    message = "{lines} lines of the count are missing. Nothing was entered."


class CountState(Conflict):
    code = "count_state"
    message = "The count is {status}."


class CountOutdated(Conflict):
    code = "count_outdated"
    message = "The bin holds fewer units now than the count would take out: count it again."


class SecondPersonNeeded(Conflict):
    code = "count_second_person"
    message = "Somebody other than who counted has to decide."


class NotShort(Conflict):
    code = "pick_not_short"
    message = "The order wants {wanted} units from this place, and the bin has them."


class UnknownWave(NotFound):
    code = "wave_unknown"
    message = "There is no such wave, or no such stop in it."


class WaveState(Conflict):
    code = "wave_state"
    message = "The wave is {status}."


class StopDone(Conflict):
    code = "wave_stop_done"
    message = "This stop is done already, or wants fewer units."


class NothingToPick(Conflict):
    code = "wave_empty"
    message = "There is nothing to pick there that is not in another wave."


class NothingWaits(NotFound):
    code = "count_none_waits"
    message = "No count waits for a second person."


class UnknownShort(NotFound):
    code = "short_pick_unknown"
    message = "There is no such short pick."


class SameBin(Conflict):
    code = "bin_same"
    message = "The units lie in this bin already."
