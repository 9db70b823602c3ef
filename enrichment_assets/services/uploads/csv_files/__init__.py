"""Reading delimited text files exactly: what a cell held is what comes out, or the row is a rejection with a reason.

`encodings` finds the encoding while the bytes are copied, `shape` refuses what is no table and finds delimiter and
header, `exact` reads rows one by one with recovery, `proven` is the vectorised way for blocks that are proven
clean, `reader` joins the two. Nothing here knows the database.
"""

from enrichment_assets.services.uploads.csv_files.limits import ReadLimits
from enrichment_assets.services.uploads.csv_files.reader import FileReading, Segment
from enrichment_assets.services.uploads.csv_files.rows import Rejection
from enrichment_assets.services.uploads.csv_files.shape import FileShape, find_shape

__all__ = ["FileReading", "FileShape", "ReadLimits", "Rejection", "Segment", "find_shape"]
