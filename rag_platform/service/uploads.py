"""Reading an uploaded file from a multipart request."""

from fastapi import HTTPException, Request
from starlette.datastructures import UploadFile

from rag_platform.errors import InvalidRequest, Unavailable
from rag_platform.printing import MEGABYTE
from rag_platform.service.guard import too_large

_REMEDY = 'Send exactly one file, as the multipart field "file".'


async def read_upload(request: Request, max_megabytes: int) -> tuple[str, bytes]:
    """The name and the bytes of the one file, at most ``max_megabytes``."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "multipart/form-data":
        raise HTTPException(415, f"An upload is multipart/form-data. {_REMEDY}")
    try:
        form = await request.form(max_files=1, max_fields=10)
    except OSError as error:  # large files wait in the temporary folder
        raise Unavailable(
            f"The upload cannot be kept ({error.strerror}).", "Check that the disk is not full."
        ) from error
    except (ValueError, LookupError, AttributeError) as error:
        # Header values that the parser does not foresee, such as a charset that is no encoding.
        raise InvalidRequest("The upload is not well-formed multipart data.", _REMEDY) from error
    try:
        parts = form.multi_items()
        if [name for name, _ in parts] != ["file"]:
            raise InvalidRequest("An upload has one field.", _REMEDY)
        file = parts[0][1]
        if not isinstance(file, UploadFile) or file.filename is None:
            raise InvalidRequest("The field has no file name.", _REMEDY)
        if (file.size or 0) > max_megabytes * MEGABYTE:
            raise HTTPException(413, too_large(max_megabytes))
        return file.filename, await file.read()
    finally:
        await form.close()
