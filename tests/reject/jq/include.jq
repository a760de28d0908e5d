include "shared";
up
