"""`trivet router`: a household's router, through which devices meet from outside."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from trivet.app.cli.option import HouseholdOption
from trivet.app.cli.output import console, told
from trivet.app.folder import household_folder, identity_folder
from trivet.app.routing import RouterSettings, admit_router, run_router
from trivet.fabric.household import load_household
from trivet.fabric.link import Link

router_app = typer.Typer(
    help="A router: where devices meet that cannot reach each other.",
    no_args_is_help=True,
)
IdArgument = Annotated[str, typer.Argument(help="The router's id.")]


@router_app.command("add")
@told
def add(
    device: IdArgument,
    host: Annotated[
        list[str] | None,
        typer.Option(help="Names or addresses at which it is dialled."),
    ] = None,
    household: HouseholdOption = None,
) -> None:
    """Admit a router that runs on this machine: a guest, with no lease and no vote.

    For one that runs elsewhere: `trivet device pair --guest` here, and there
    `trivet join --kind other --host ADDRESS`.
    """
    founded = load_household(identity_folder(household_folder(household)))
    identity = admit_router(founded, device, tuple(host or ()))
    console.print(f"{device} admitted until {identity.expires:%Y-%m-%d}")


@router_app.command("run")
@told
def run(
    device: IdArgument,
    listen: Annotated[list[str], typer.Option(help="host:port to be dialled at.")],
    connect: Annotated[
        list[str] | None, typer.Option(help="host:port of a router to dial.")
    ] = None,
    router: Annotated[
        list[str] | None, typer.Option(help="Id of another router of the household.")
    ] = None,
    lan: Annotated[
        list[str] | None,
        typer.Option(help="Network interface, such as eth0, of one of its networks."),
    ] = None,
    household: HouseholdOption = None,
) -> None:
    """Pass on what the household's devices say to each other, until it is ended.

    With --lan, what the devices of one of these networks say to those of another.
    """
    settings = RouterSettings(
        household_folder(household),
        device,
        listen=tuple(listen),
        connect=tuple(connect or ()),
        routers=tuple(router or ()),
        lans=tuple(lan or ()),
    )

    def on_open(link: Link) -> None:
        text = f"{link.device} routes for {link.household} at {', '.join(listen)}"
        console.print(f"{text}  (Ctrl-C ends)", highlight=False, soft_wrap=True)

    asyncio.run(run_router(settings, on_open))
