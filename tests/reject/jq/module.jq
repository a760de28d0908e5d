import "shared" as shared;
shared::up
